package desired_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

func TestSchedulesAreThoseOfKubernetes(t *testing.T) {
	for schedule, good := range map[string]bool{
		"30 4 * * *": true, "*/5 0-23 1,15 JAN-DEC ?": true, "@daily": true, "0 0 * * SUN": true,
		"": false, "* * * *": false, "* * * * * *": false, "61 * * * *": false, "@every 1s": false, "TZ=UTC 0 0 * * *": false, "CRON_TZ=UTC 0 0 * * *": false, "a b c d e": false,
	} {
		err := desired.CheckCron(v1alpha1.CronJob{Name: "a", Schedule: schedule})
		if (err == nil) != good || err != nil && !strings.Contains(err.Error(), "spec.cronJobs[a].schedule") {
			t.Errorf("CheckCron(%q) = %v, want good %t", schedule, err, good)
		}
	}
}

// No schedule makes the reader of schedules panic, and what a CronJob is made of was
// taken.
func FuzzCronJob(f *testing.F) {
	f.Add("*/5 * * * *", "echo $(HOME) $$")
	f.Add("@daily", "")
	f.Add("TZ= * * * * *", "\x00")
	f.Fuzz(func(t *testing.T, schedule, line string) {
		site := cases(t)["testdata/site/cron.yaml"]
		job, err := site.CronJob(v1alpha1.CronJob{Name: "a", Schedule: schedule, Shell: line, Command: []string{line}})
		if err != nil {
			return
		}
		command := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Command
		if said := command[len(command)-1]; strings.ReplaceAll(said, "$$", "$") != strings.ReplaceAll(strings.ReplaceAll(line, "$", "$$"), "$$", "$") {
			t.Errorf("the line %q runs as %q", line, said)
		}
	})
}

// A run has to find room beside the site's pod.
func TestARunFindsRoomBesideItsSite(t *testing.T) {
	for path, site := range cases(t) {
		if site.Domain.Spec.Workload.Type == "static" {
			continue
		}
		job := v1alpha1.CronJob{Name: "a", Schedule: "@daily", Shell: "true"}
		site.Domain.Spec.CronJobs = []v1alpha1.CronJob{job}
		pod, err := site.Workload()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		run, err := site.CronJob(job)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		hard := site.ResourceQuota().Spec.Hard
		for name, of := range map[corev1.ResourceName]func(corev1.Container) resource.Quantity{
			corev1.ResourceLimitsCPU:              func(c corev1.Container) resource.Quantity { return *c.Resources.Limits.Cpu() },
			corev1.ResourceLimitsMemory:           func(c corev1.Container) resource.Quantity { return *c.Resources.Limits.Memory() },
			corev1.ResourceLimitsEphemeralStorage: func(c corev1.Container) resource.Quantity { return *c.Resources.Limits.StorageEphemeral() },
			corev1.ResourceRequestsCPU:            func(c corev1.Container) resource.Quantity { return *c.Resources.Requests.Cpu() },
			corev1.ResourceRequestsMemory:         func(c corev1.Container) resource.Quantity { return *c.Resources.Requests.Memory() },
		} {
			both := counted(pod.Spec.Template.Spec, of)
			both.Add(counted(run.Spec.JobTemplate.Spec.Template.Spec, of))
			if most := hard[name]; both.Cmp(most) > 0 {
				t.Errorf("%s: %s of site and run are %s, more than the quota's %s", path, name, &both, &most)
			}
		}
	}
}

// counted is what Kubernetes' quota counts for a pod, all its life: the largest of its
// init containers, or all others together.
func counted(pod corev1.PodSpec, of func(corev1.Container) resource.Quantity) resource.Quantity {
	var sum resource.Quantity
	for _, c := range pod.Containers {
		sum.Add(of(c))
	}
	for _, c := range pod.InitContainers {
		if one := of(c); one.Cmp(sum) > 0 {
			sum = one
		}
	}
	return sum
}
