package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// wordChange is how dialogues call what newFilesJobs lists.
const wordChange = "the id of the change"

// lateDeed is a change of files that may take long: the panel goes on with it, whoever goes
// away.
type lateDeed struct {
	env    *Env
	noWait bool
}

func (l *lateDeed) add(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&l.noWait, "no-wait", false, "begin it and look at how it goes later: kubepanel site files jobs NAME")
	return cmd
}

// prefer is what the panel is asked for: an answer at the end when that is near.
func (l *lateDeed) prefer() *string {
	how := "respond-async, wait=2"
	if l.noWait {
		how = "respond-async"
	}
	return &how
}

// lateAnswer is what the panel answers to a change that may take long: one that goes on is
// its JSON202.
type lateAnswer interface {
	StatusCode() int
	GetJSON202() *client.FileJob
	GetApplicationProblemJSONDefault() *client.Problem
}

// over takes what asking for a change came to. It waits for the end of one that goes on, or
// says where to look, and tells whether the end has come.
func (l *lateDeed) over(ctx context.Context, api *client.ClientWithResponses, site string, answer lateAnswer, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	if err := client.Check(answer.StatusCode(), answer.GetApplicationProblemJSONDefault()); err != nil {
		return false, err
	}
	job := answer.GetJSON202()
	switch {
	case job == nil:
		return true, nil
	case l.noWait:
		return false, l.env.done(job, "It goes on as %s: kubepanel site files jobs %s", clean(job.ID), clean(site))
	}
	return true, l.env.untilDone(ctx, api, site, job)
}

// untilDone waits for the end of a change of files, and shows on a terminal how far it is.
func (e *Env) untilDone(ctx context.Context, api *client.ClientWithResponses, site string, job *client.FileJob) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	shows := e.Terminal && !e.structured()
	for job.State == client.FileJobStateRunning {
		if shows {
			fmt.Fprintf(e.Err, "\r%s  %d files, %d octets ", lasted(job), job.Entries, job.Size) // a person waits
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		found, err := api.GetFileJobWithResponse(ctx, site, job.ID)
		switch {
		case ctx.Err() != nil:
			return &hosting.Error{Code: hosting.Interrupted, Message: "Stopped looking. It goes on.", Err: context.Cause(ctx),
				Mend: fmt.Sprintf("See how far it is with: kubepanel site files jobs %s; end it with: kubepanel site files cancel %s %s", clean(site), clean(site), job.ID)}
		case err != nil:
			return err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		job = found.JSON200
	}
	if shows {
		fmt.Fprintln(e.Err)
	}
	if job.Problem != nil {
		return client.Check(int(job.Problem.Status), job.Problem)
	}
	return nil
}

// lasted is how long a change took until now, or in all: minutes and seconds.
func lasted(job *client.FileJob) string {
	const minute = 60
	return fmt.Sprintf("%d:%02d", job.Seconds/minute, job.Seconds%minute)
}

func newFilesJobs(env *Env) *cobra.Command {
	return env.filesCommand(wording{}, "jobs NAME", "List long changes of files: those under way, and how the last ones ended", "jobs blog.localhost",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			found, err := api.ListFileJobsWithResponse(ctx, args[0])
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			all := found.JSON200.Items
			rows := make([][]string, 0, len(all))
			for i := range all {
				j := &all[i]
				state := string(j.State)
				if value(j.Cancelling) {
					state = "cancelling"
				}
				said := ""
				if j.Problem != nil {
					said = strings.TrimSpace(clean(value(j.Problem.Detail)) + " " + clean(value(j.Problem.Mend)))
				}
				rows = append(rows, []string{clean(j.ID), string(j.Do), state, lasted(j), fmt.Sprint(j.Entries), fmt.Sprint(j.Size), clean(or(value(j.To), "-")), or(said, "-")})
			}
			return env.rows(all, []string{"ID", "DOES", "STATE", "TIME", "FILES", "SIZE", "TO", "PROBLEM"}, rows)
		})
}

func newFilesCancel(env *Env) *cobra.Command {
	return env.filesCommand(wording{names: []string{wordChange}}, "cancel NAME ID", "Cancel a long change of files; nothing half done is left", "cancel blog.localhost 01a20580-f1cb-7196-ae48-54f16d8bed61",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			asked, err := api.CancelFileJobWithResponse(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			if err := client.Check(asked.StatusCode(), asked.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			if job := asked.JSON202; job.State != client.FileJobStateRunning {
				return env.done(job, "It has ended already: %s.", job.State)
			}
			return env.done(asked.JSON202, "It ends in a moment.")
		})
}
