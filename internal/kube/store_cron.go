package kube

import (
	"context"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

var _ hosting.CronReader = Store{}

// CronRuns implements hosting.CronReader.
func (s Store) CronRuns(ctx context.Context, namespace string) ([]hosting.CronRun, error) {
	jobs := &batchv1.JobList{}
	err := s.Client.List(ctx, jobs, client.InNamespace(namespace), client.MatchingLabels{
		v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelComponent: v1alpha1.ComponentCron})
	if err != nil {
		return nil, s.answer(ctx, "list runs of cron jobs in "+namespace, err)
	}
	runs := make([]hosting.CronRun, len(jobs.Items))
	for i := range jobs.Items {
		runs[i] = cronRun(&jobs.Items[i])
	}
	slices.SortFunc(runs, func(a, b hosting.CronRun) int { return b.Began.Compare(a.Began) })
	return runs, nil
}

func cronRun(j *batchv1.Job) hosting.CronRun {
	run := hosting.CronRun{
		Name: j.Name, Job: j.Labels[v1alpha1.LabelCronJob], State: hosting.RunWaiting, Began: j.CreationTimestamp.Time,
		Asked: j.Annotations["cronjob.kubernetes.io/instantiate"] == "manual",
	}
	if j.Status.Active > 0 {
		run.State = hosting.RunGoing
	}
	for _, c := range j.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobComplete:
			run.State, run.Ended = hosting.RunSucceeded, c.LastTransitionTime.Time
		case batchv1.JobFailed:
			run.State, run.Ended = hosting.RunFailed, c.LastTransitionTime.Time
			if c.Reason == batchv1.JobReasonDeadlineExceeded {
				run.State = hosting.RunTooLong
			}
		}
	}
	return run
}
