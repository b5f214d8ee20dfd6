package domain_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// cronJobs go through their life: made, mended, run when asked, suspended and removed.
// A site without them has no condition of theirs.
func cronJobs(t *testing.T, w *world) {
	const name, ns = "cron.example", "dom-cron-example"
	w.create(t, newDomain(name))
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	if d := get(t, &v1alpha1.Domain{}, "", name); meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionCronJobsReady) != nil {
		t.Error("a site without cron jobs has a condition of theirs")
	}
	w.change(t, name, func(d *v1alpha1.Domain) {
		d.Spec.Timezone = "Europe/Berlin"
		d.Spec.CronJobs = []v1alpha1.CronJob{
			{Name: "mail", Schedule: "*/5 * * * *", Shell: `echo "$HOME"`},
			{Name: "report", Schedule: "@daily", Timezone: "Asia/Tokyo", Command: []string{"php", "report.php"}, TimeoutSeconds: 60},
		}
	})
	w.condition(t, name, v1alpha1.ConditionCronJobsReady, metav1.ConditionTrue, "")
	mail := get(t, &batchv1.CronJob{}, ns, "mail")
	if c := mail.Spec.JobTemplate.Spec.Template.Spec.Containers[0]; len(c.Command) != 3 || c.Command[2] != `echo "$$HOME"` {
		t.Errorf("the line runs as %q, want a shell with the line as one word", c.Command)
	}
	if zone := *mail.Spec.TimeZone; zone != "Europe/Berlin" {
		t.Errorf("the time zone is %q, want the site's", zone)
	}
	cronFits(t, ns, mail)
	cronDrift(t, ns)
	cronRun(t, w, name, ns)

	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.CronJobs[0].Schedule = "61 * * * *" })
	w.condition(t, name, v1alpha1.ConditionCronJobsReady, metav1.ConditionFalse, "InvalidCronJob")
	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.CronJobs = d.Spec.CronJobs[1:] })
	w.condition(t, name, v1alpha1.ConditionCronJobsReady, metav1.ConditionTrue, "")
	eventually(t, func() error { return gone(t, &batchv1.CronJob{}, ns, "mail") })

	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Suspended = true })
	w.condition(t, name, v1alpha1.ConditionCronJobsReady, metav1.ConditionFalse, "Suspended")
	if report := get(t, &batchv1.CronJob{}, ns, "report"); !*report.Spec.Suspend {
		t.Error("the cron job of a suspended site is not suspended")
	}
	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Suspended, d.Spec.CronJobs = false, nil })
	eventually(t, func() error { return gone(t, &batchv1.CronJob{}, ns, "report") })
	if err := cluster.Client.Delete(t.Context(), get(t, &v1alpha1.Domain{}, "", name)); err != nil {
		t.Fatal(err)
	}
}

// cronFits wants one run to have room beside the site's pod, within what was bought.
func cronFits(t *testing.T, ns string, job *batchv1.CronJob) {
	t.Helper()
	quota := get(t, &corev1.ResourceQuota{}, ns, "site")
	eventually(t, func() error {
		var site appsv1.Deployment
		if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "cron-example"}, &site); err != nil {
			return err
		}
		for _, r := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
			sum := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Resources.Limits[r].DeepCopy()
			for _, c := range site.Spec.Template.Spec.Containers {
				sum.Add(c.Resources.Limits[r])
			}
			if most := quota.Spec.Hard[corev1.ResourceName("limits."+string(r))]; sum.Cmp(most) > 0 {
				return errorf("pod and run together have %s of %s, the quota lets them have %s", sum.String(), r, most.String())
			}
		}
		return nil
	})
}

func cronDrift(t *testing.T, ns string) {
	t.Helper()
	job := get(t, &batchv1.CronJob{}, ns, "report")
	was := job.UID
	if err := cluster.Client.Delete(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "report"}, job); err != nil || job.UID == was {
			return errorf("a deleted cron job has not come back: %v", err)
		}
		return nil
	})
	job.Spec.Schedule, job.Spec.ConcurrencyPolicy = "0 0 1 1 *", batchv1.AllowConcurrent
	if err := cluster.Client.Update(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		job := get(t, &batchv1.CronJob{}, ns, "report")
		if job.Spec.Schedule != "@daily" || job.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent {
			return errorf("a changed cron job is %q %s still", job.Spec.Schedule, job.Spec.ConcurrencyPolicy)
		}
		return nil
	})
}

// cronRun asks for a run, which is made once however often the operator looks.
func cronRun(t *testing.T, w *world, name, ns string) {
	t.Helper()
	const asked = "report 2026-03-01T12:00:00Z"
	w.change(t, name, func(d *v1alpha1.Domain) {
		d.Annotations = map[string]string{v1alpha1.AnnotationRunCron: asked}
	})
	var jobs batchv1.JobList
	eventually(t, func() error {
		if d := get(t, &v1alpha1.Domain{}, "", name); d.Status.CronRun != asked {
			return errorf("status.cronRun = %q; %s", d.Status.CronRun, conditions(d))
		}
		return cluster.Client.List(t.Context(), &jobs, client.InNamespace(ns))
	})
	if len(jobs.Items) != 1 {
		t.Fatalf("%d runs were made, want one", len(jobs.Items))
	}
	run := jobs.Items[0]
	owner := metav1.GetControllerOf(&run)
	if owner == nil || owner.Kind != "CronJob" || owner.Name != "report" || *run.Spec.Template.Spec.ActiveDeadlineSeconds != 60 {
		t.Errorf("the run is %s of %v, ends after %d s; want one of report's that ends after 60", run.Name, owner, *run.Spec.Template.Spec.ActiveDeadlineSeconds)
	}
	w.touch(t, name, "looked at again")
	if err := cluster.Client.List(t.Context(), &jobs, client.InNamespace(ns)); err != nil || len(jobs.Items) != 1 {
		t.Errorf("%d runs after another look (%v), want one", len(jobs.Items), err)
	}
}
