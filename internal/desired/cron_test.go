package desired_test

import (
	"strings"
	"testing"

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
