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

func newSiteCron(env *Env) *cobra.Command {
	return group("cron", "Cron jobs of a site, and what their runs wrote",
		"  kubepanel site cron list blog.localhost\n  kubepanel site cron run blog.localhost send-mail",
		newCronList(env), newCronCreate(env), newCronSet(env), newCronRun(env), newCronOutput(env), newCronDelete(env))
}

func siteAndJob() wording {
	return wording{names: []string{"the name of the site", "the name of the cron job"}}
}

func newCronList(env *Env) *cobra.Command {
	return env.with(wording{names: []string{"the name of the site"}}, &cobra.Command{
		Use: "list NAME", Aliases: []string{"ls"}, Short: "List a site's cron jobs", Example: "  kubepanel site cron list blog.localhost", ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		found, err := api.ListCronJobsWithResponse(ctx, args[0])
		if err != nil {
			return err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		rows := make([][]string, 0, len(found.JSON200.Items))
		for _, j := range found.JSON200.Items {
			next, last := "-", "-"
			if len(j.Next) > 0 {
				next = j.Next[0].Local().Format(time.DateTime)
			}
			if j.Last != nil {
				last = fmt.Sprintf("%s %s ago", j.Last.State, age(j.Last.Began))
			}
			rows = append(rows, []string{clean(j.Name), clean(j.Schedule), clean(j.Zone), next, last, clean(runsLine(j))})
		}
		return env.rows(found.JSON200.Items, []string{"NAME", "SCHEDULE", "ZONE", "NEXT", "LAST", "RUNS"}, rows)
	})
}

// runsLine is what a cron job runs, on one line.
func runsLine(j client.CronJob) string {
	if j.Command != nil {
		return strings.Join(*j.Command, " ")
	}
	return value(j.Shell)
}

// cronFlags are the options that say what a cron job is.
type cronFlags struct {
	schedule, zone, shell string
	timeout               time.Duration
	suspend, resume       bool
}

func (c *cronFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.schedule, "schedule", "", "`when` it runs, as crontab has it, such as \"30 4 * * *\" or @daily")
	f.StringVar(&c.zone, "time-zone", "", "time `zone` of the schedule (default: the site's)")
	f.StringVar(&c.shell, "shell", "", "`line` for the shell of the site's image; a command without a shell stands behind --")
	f.DurationVar(&c.timeout, "timeout", time.Hour, "longest `time` that a run may take")
	f.BoolVar(&c.suspend, "suspend", false, "begin no runs")
}

// command are the words behind the site's and the job's name.
func (c *cronFlags) command(args []string) *[]string {
	if len(args) <= 2 {
		return nil
	}
	rest := args[2:]
	return &rest
}

func newCronCreate(env *Env) *cobra.Command {
	c := &cronFlags{}
	w := siteAndJob()
	w.many = true
	cmd := env.with(w, &cobra.Command{
		Use: "create NAME JOB [-- COMMAND...]", Short: "Make a cron job",
		Example: `  kubepanel site cron create blog.localhost send-mail --schedule "*/5 * * * *" -- php mail.php
  kubepanel site cron create blog.localhost report --schedule @daily --shell "php a.php | gzip > a"`,
		ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		seconds := int32(c.timeout.Seconds())
		made, err := api.CreateCronJobWithResponse(ctx, args[0], nil, client.CreateCronJobJSONRequestBody{Name: args[1], Schedule: c.schedule, TimeZone: optional(c.zone),
			Shell: optional(c.shell), Command: c.command(args), TimeoutSeconds: &seconds, Suspended: optional(c.suspend)})
		if err != nil {
			return err
		}
		if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		return env.done(made.JSON201, "Made the cron job %s.", clean(args[1]))
	})
	c.add(cmd)
	return cmd
}

func newCronSet(env *Env) *cobra.Command {
	c := &cronFlags{}
	w := siteAndJob()
	w.many = true
	var cmd *cobra.Command
	cmd = env.with(w, &cobra.Command{
		Use: "set NAME JOB [-- COMMAND...]", Short: "Change a cron job; what is not named stays",
		Example:           "  kubepanel site cron set blog.localhost send-mail --schedule @hourly\n  kubepanel site cron set blog.localhost send-mail --suspend",
		ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		found, err := api.GetCronJobWithResponse(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		tag := found.HTTPResponse.Header.Get("Etag")
		set, err := api.ChangeCronJobWithResponse(ctx, args[0], args[1], &client.ChangeCronJobParams{IfMatch: &tag}, c.changed(cmd, found.JSON200, args))
		if err != nil {
			return err
		}
		if err := client.Check(set.StatusCode(), set.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		return env.done(set.JSON200, "Changed the cron job %s.", clean(args[1]))
	})
	c.add(cmd)
	cmd.Flags().BoolVar(&c.resume, "resume", false, "begin runs again")
	return cmd
}

// changed is a cron job with what was named on the command line.
func (c *cronFlags) changed(cmd *cobra.Command, was *client.CronJob, args []string) client.CronSettings {
	set := client.CronSettings{Name: was.Name, Schedule: was.Schedule, TimeZone: was.TimeZone, Shell: was.Shell, Command: was.Command,
		TimeoutSeconds: was.TimeoutSeconds, Suspended: was.Suspended}
	given := cmd.Flags().Changed
	if given("schedule") {
		set.Schedule = c.schedule
	}
	if given("time-zone") {
		set.TimeZone = &c.zone
	}
	if given("timeout") {
		seconds := int32(c.timeout.Seconds())
		set.TimeoutSeconds = &seconds
	}
	if given("suspend") || given("resume") {
		off := c.suspend && !c.resume
		set.Suspended = &off
	}
	if command := c.command(args); command != nil || given("shell") {
		set.Command, set.Shell = command, optional(c.shell)
	}
	return set
}

func newCronRun(env *Env) *cobra.Command {
	return env.with(siteAndJob(), &cobra.Command{
		Use: "run NAME JOB", Short: "Run a cron job now", Example: "  kubepanel site cron run blog.localhost send-mail", ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		asked, err := api.RunCronJobWithResponse(ctx, args[0], args[1], nil)
		if err != nil {
			return err
		}
		if err := client.Check(asked.StatusCode(), asked.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		return env.done(asked.JSON202, "A run of %s is asked for. See what it writes with: kubepanel site cron output %s %s", clean(args[1]), clean(args[0]), clean(args[1]))
	})
}

func newCronOutput(env *Env) *cobra.Command {
	w := siteAndJob()
	w.names, w.optional = append(w.names, "the name of the run"), true
	return env.with(w, &cobra.Command{
		Use: "output NAME JOB [RUN]", Short: "Show what a run of a cron job wrote",
		Long:              "Show what a run of a cron job wrote; without a run, the newest. The last three of each outcome\nare kept; --output json of the list names them.",
		Example:           "  kubepanel site cron output blog.localhost send-mail",
		ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		found, err := api.ListCronRunsWithResponse(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		if len(found.JSON200.Items) == 0 {
			return &hosting.Error{Code: hosting.NotFound, Message: "The cron job has not run yet.", Mend: fmt.Sprintf("Run it with: kubepanel site cron run %s %s", args[0], args[1])}
		}
		run := found.JSON200.Items[0].Name
		if len(args) > 2 {
			run = args[2]
		}
		wrote, err := api.GetCronOutputWithResponse(ctx, args[0], args[1], run)
		if err != nil {
			return err
		}
		if err := client.Check(wrote.StatusCode(), wrote.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		if env.structured() {
			return env.printStructured(wrote.JSON200.Items)
		}
		return (&siteLogs{env: env}).print(wrote.JSON200.Items...)
	})
}

func newCronDelete(env *Env) *cobra.Command {
	yes := false
	return addYes(env.with(siteAndJob(), &cobra.Command{
		Use: "delete NAME JOB", Aliases: []string{"rm"}, Short: "Delete a cron job; a run that is under way ends",
		Example: "  kubepanel site cron delete blog.localhost send-mail", ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		found, err := api.GetCronJobWithResponse(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		tells := "Its command, its schedule and what its runs wrote are gone then, and nothing brings them back. A run that is under way ends."
		if err := env.confirm(ctx, yes, loss{tells: tells, name: args[1], does: "delete it"}); err != nil {
			return err
		}
		gone, err := api.DeleteCronJobWithResponse(ctx, args[0], args[1], nil)
		if err != nil {
			return err
		}
		if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		return env.done(map[string]string{"deleted": args[1]}, "Deleted the cron job %s.", clean(args[1]))
	}), &yes)
}
