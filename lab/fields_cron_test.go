package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// cronChanges are changes of what runs at set times. The first takes a share of the
// program's resources, so the pod is another one; all later ones nobody notices.
func cronChanges() []fieldChange {
	return []fieldChange{
		{name: "cronJobs", fields: []string{"cronJobs[].name", "cronJobs[].schedule", "cronJobs[].shell", "cronJobs[].timeoutSeconds", "cronJobs[].timezone"}, effect: anotherPod,
			edit: func(s *v1alpha1.DomainSpec) {
				s.CronJobs = []v1alpha1.CronJob{{Name: "tick", Schedule: "* * * * *", Timezone: "Asia/Tokyo", TimeoutSeconds: 60,
					Shell: `echo "ticked in $TZ" > /var/www/html/tick.txt`}}
			},
			seen: func(t testing.TB, tr tour) {
				eventually(t, "the cron job has run", 3*time.Minute, func(ctx context.Context) error {
					page, err := tr.visitor.get(ctx, tr.url()+"/tick.txt")
					if err == nil && !strings.Contains(page.body, "ticked in Asia/Tokyo") {
						err = fmt.Errorf("it has not written its file: %.100s", page.body)
					}
					return err
				})
			}},
		{name: "cronJobs of another command", fields: []string{"cronJobs[].command", "cronJobs[].shell", "cronJobs[].suspended"}, effect: unnoticed,
			edit: func(s *v1alpha1.DomainSpec) {
				j := &s.CronJobs[0]
				j.Shell, j.Command, j.Suspended = "", []string{"touch", "/var/www/html/touched"}, true
			},
			seen: func(t testing.TB, tr tour) {
				eventually(t, "the cron job is suspended", time.Minute, func(ctx context.Context) error {
					var job batchv1.CronJob
					if err := tr.Get(ctx, client.ObjectKey{Namespace: tr.namespace(t), Name: "tick"}, &job); err != nil {
						return err
					}
					if command := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Command; !*job.Spec.Suspend || command[0] != "touch" {
						return fmt.Errorf("it is suspended: %t, and runs %q", *job.Spec.Suspend, command)
					}
					return nil
				})
			}},
		{name: "no cronJobs", effect: anotherPod,
			fields: []string{"cronJobs[].command", "cronJobs[].name", "cronJobs[].schedule", "cronJobs[].suspended", "cronJobs[].timeoutSeconds", "cronJobs[].timezone"},
			edit:   func(s *v1alpha1.DomainSpec) { s.CronJobs = nil },
			seen: func(t testing.TB, tr tour) {
				eventually(t, "the cron job is gone", time.Minute, func(ctx context.Context) error {
					var all batchv1.CronJobList
					if err := tr.List(ctx, &all, client.InNamespace(tr.namespace(t))); err != nil || len(all.Items) > 0 {
						return fmt.Errorf("%d are left (%w)", len(all.Items), err)
					}
					return nil
				})
			}},
	}
}
