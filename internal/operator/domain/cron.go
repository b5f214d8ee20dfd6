package domain

import (
	"context"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// hasCron tells whether a Domain asks for cron jobs, or has some that are to go.
func (r *Reconciler) hasCron(ctx context.Context, d *v1alpha1.Domain) bool {
	made, err := r.cronJobs(ctx, d)
	return len(d.Spec.CronJobs) > 0 || len(made) > 0 || err != nil
}

// cronJobs returns the CronJobs of the site's namespace from the cache: who they are,
// and no more.
func (r *Reconciler) cronJobs(ctx context.Context, d *v1alpha1.Domain) ([]batchv1.CronJob, error) {
	var list batchv1.CronJobList
	err := r.Kube.Client.List(ctx, &list, client.InNamespace(desired.Namespace(d.Spec.DomainName)),
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	return list.Items, err
}

// cron keeps the site's cron jobs, and starts the run that somebody asked for.
func (r *Reconciler) cron(ctx context.Context, d *v1alpha1.Domain) error {
	site := r.site(d)
	live, faults := map[string]*batchv1.CronJob{}, []string(nil)
	for _, j := range d.Spec.CronJobs {
		if _, err := time.LoadLocation(j.Timezone); err != nil {
			faults = append(faults, fmt.Sprintf("spec.cronJobs[%s].timezone: there is no time zone %q", j.Name, j.Timezone))
			live[j.Name] = nil
			continue
		}
		job, err := site.CronJob(j)
		if err != nil {
			faults = append(faults, err.Error())
		}
		live[j.Name] = job
	}
	if err := r.pruneCron(ctx, d, live); err != nil {
		return err
	}
	if len(live) == 0 {
		return operator.Done("Disabled", "There are no cron jobs.")
	}
	if err := r.applyCron(ctx, d, live); err != nil {
		return err
	}
	switch {
	case len(faults) > 0:
		return operator.Stall("InvalidCronJob", "%s. It does not run until that is corrected; all others do.", strings.Join(faults, "; "))
	case d.Spec.Suspended:
		return operator.Pause("Suspended", "The site is suspended, and its cron jobs with it.")
	}
	return nil
}

// pruneCron removes what is not asked for any more; runs that are under way end.
func (r *Reconciler) pruneCron(ctx context.Context, d *v1alpha1.Domain, wanted map[string]*batchv1.CronJob) error {
	made, err := r.cronJobs(ctx, d)
	if err != nil {
		return fmt.Errorf("list cron jobs: %w", err)
	}
	for i := range made {
		if _, ok := wanted[made[i].Name]; ok || !metav1.IsControlledBy(&made[i], d) || !made[i].DeletionTimestamp.IsZero() {
			continue
		}
		if err := r.Kube.Remove(ctx, &made[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) applyCron(ctx context.Context, d *v1alpha1.Domain, live map[string]*batchv1.CronJob) error {
	var objects []client.Object
	for _, job := range live {
		if job != nil {
			objects = append(objects, job)
		}
	}
	if err := r.apply(ctx, d, objects...); err != nil {
		return err
	}
	return r.runCron(ctx, d, live)
}

// runCron starts a run that was asked for and not yet begun. Its name comes from the
// asking, so a crash before the status is written starts no second one.
func (r *Reconciler) runCron(ctx context.Context, d *v1alpha1.Domain, live map[string]*batchv1.CronJob) error {
	asked := d.Annotations[v1alpha1.AnnotationRunCron]
	if asked == d.Status.CronRun {
		return nil
	}
	name, _, _ := strings.Cut(asked, " ")
	if job := live[name]; job != nil && !d.Spec.Suspended {
		run := r.site(d).CronRun(job, asked)
		if err := r.Runs.Create(ctx, run); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("start %s: %w", name, err)
		}
	}
	d.Status.CronRun = asked
	return nil
}
