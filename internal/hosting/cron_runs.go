package hosting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// RunState is how far a run of a cron job has come.
type RunState string

// States of a run.
const (
	RunWaiting   RunState = "waiting" // for room: the runs of a site have one share
	RunGoing     RunState = "going"
	RunSucceeded RunState = "succeeded"
	RunFailed    RunState = "failed"
	RunTooLong   RunState = "too-long" // ended by its timeout
)

// CronRun is one run of a cron job.
type CronRun struct {
	// Name of the run, and the cron job that it is one of.
	Name, Job string
	State     RunState
	// Began is when it was made; Ended is zero while it goes on.
	Began, Ended time.Time
	// Asked: somebody asked for it, out of turn.
	Asked bool
}

// CronReader reads what became of cron jobs.
type CronReader interface {
	// CronRuns returns the runs of all cron jobs of a namespace, the newest first.
	CronRuns(ctx context.Context, namespace string) ([]CronRun, error)
}

// CronState is a cron job with what became of it.
type CronState struct {
	v1alpha1.CronJob

	Zone *time.Location
	// Next is when it comes next; zero when it does not.
	Next []time.Time
	Runs []CronRun
}

// Last returns the newest run, nil when there is none.
func (c CronState) Last() *CronRun {
	if len(c.Runs) == 0 {
		return nil
	}
	return &c.Runs[0]
}

// Version names what people want of the cron job, as it is now.
func (c CronState) Version() string { return cronVersion(c.CronJob) }

func cronVersion(j v1alpha1.CronJob) string {
	return version(append([]string{j.Name, j.Schedule, j.Timezone, j.Shell, fmt.Sprint(j.Suspended), fmt.Sprint(j.TimeoutSeconds)}, j.Command...)...)
}

// CronJobs returns a site's cron jobs, with their runs.
func (p *Provider) CronJobs(ctx context.Context, a Actor, name string) ([]CronState, error) {
	s, err := p.site(ctx, a, RightSiteCron, name)
	if err != nil || s.Domain == nil || len(s.Domain.Spec.CronJobs) == 0 {
		return nil, err
	}
	d := s.Domain
	var runs []CronRun
	if d.Status.Namespace != "" {
		if runs, err = p.Panel.Cron.CronRuns(ctx, d.Status.Namespace); err != nil {
			return nil, err
		}
	}
	all := make([]CronState, len(d.Spec.CronJobs))
	for i, j := range d.Spec.CronJobs {
		all[i] = CronState{CronJob: j, Zone: CronZone(d, j)}
		if schedule, err := ParseSchedule(j.Schedule); err == nil && !j.Suspended && !d.Spec.Suspended {
			all[i].Next = schedule.upcoming(p.Now().In(all[i].Zone))
		}
		for _, r := range runs {
			if r.Job != j.Name {
				continue
			}
			if limit := time.Duration(j.TimeoutSeconds) * time.Second; r.State == RunFailed && limit > 0 && r.Ended.Sub(r.Began) >= limit {
				r.State = RunTooLong
			}
			all[i].Runs = append(all[i].Runs, r)
		}
	}
	return all, nil
}

// CronJob returns one of a site's cron jobs, with its runs.
func (p *Provider) CronJob(ctx context.Context, a Actor, name, job string) (*CronState, error) {
	all, err := p.CronJobs(ctx, a, name)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(c CronState) bool { return c.Name == job })
	if i < 0 {
		return nil, noCronJob(job)
	}
	return &all[i], nil
}

// CronOutput returns what a run of a cron job wrote, the newest lines of it. It
// returns NotFound when the run is none of the job's, and Conflict while it has not
// begun.
func (p *Provider) CronOutput(ctx context.Context, a Actor, name, job, run string) (*Log, error) {
	s, err := p.site(ctx, a, RightSiteCron, name)
	if err != nil {
		return nil, err
	}
	c, err := p.CronJob(ctx, a, name, job)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(c.Runs, func(r CronRun) bool { return r.Name == run }) {
		return nil, &Error{Code: NotFound, Message: "There is no such run any more.", Mend: "The last three of each outcome are kept."}
	}
	kept := &ring{size: maxLines}
	at := LogPlace{Namespace: s.Domain.Status.Namespace, Container: "cron", Labels: map[string]string{"batch.kubernetes.io/job-name": run}}
	ctx, stop := context.WithTimeout(ctx, maxLogReading)
	defer stop()
	err = p.Panel.Logs.ReadLog(ctx, at, func(at time.Time, text string) error {
		kept.add(LogLine{At: at, Text: text, Level: levelOf(LogApp, text)})
		return ctx.Err()
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	return &Log{Lines: kept.lines(), Earlier: kept.lost}, nil
}
