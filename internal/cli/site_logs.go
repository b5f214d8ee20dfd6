package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// followAgain is how long it takes until a log whose program ended is asked for anew.
const followAgain = 2 * time.Second

// longestLine is more than kubelet passes on as one line, in octets.
const longestLine = 1 << 20

type siteLogs struct {
	env               *Env
	source, search    string
	to                string
	since             time.Duration
	lines             int64
	pattern, previous bool
	follow            bool
}

func newSiteLogs(env *Env) *cobra.Command {
	c := &siteLogs{env: env}
	cmd := env.with(wording{names: []string{"the name of the site"}}, &cobra.Command{
		Use:   "logs NAME",
		Short: "Show, search and follow the logs of a site",
		Long: `Show the newest lines of a log of a site, search it, and follow it. The logs are those of
the application (app), and of the web server its requests (access) and errors (error).

It asks the panel that you are signed in to.`,
		Example: `  kubepanel site logs blog.localhost
  kubepanel site logs blog.localhost --source access --search " 404 " --since 2h
  kubepanel site logs blog.localhost --source error --follow
  kubepanel site logs blog.localhost --source access --to access.log`,
		ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		if c.follow && c.to != "" {
			return &usageError{message: "--to fetches what is written and --follow what will be; give one of them", command: "kubepanel site logs"}
		}
		return c.run(ctx, api, args[0])
	})
	f := cmd.Flags()
	f.StringVar(&c.source, "source", "", "`log` to show: app, access or error (default: app where the site has a program)")
	f.StringVar(&c.search, "search", "", "only lines with this `text`, whatever its case")
	f.BoolVar(&c.pattern, "pattern", false, "--search is a regular expression")
	f.DurationVar(&c.since, "since", 0, "only lines of this last `time`, such as 2h")
	f.Int64Var(&c.lines, "lines", 300, "how many lines, the newest; at most 1000")
	f.BoolVar(&c.previous, "previous", false, "of the program before its last restart")
	f.BoolVarP(&c.follow, "follow", "f", false, "go on with what is written from now on")
	f.StringVar(&c.to, "to", "", "fetch all lines that are kept into a `file`; - writes them to standard output")
	complete(cmd, "source", words("app", "access", "error"))
	return cmd
}

func (c *siteLogs) run(ctx context.Context, api *client.ClientWithResponses, site string) error {
	if c.source == "" {
		found, err := api.ListLogsWithResponse(ctx, site)
		if err != nil {
			return err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		if len(found.JSON200.Items) == 0 {
			return &hosting.Error{Code: hosting.Conflict, Message: "The site is not there yet, so it has no log.", Mend: "Try again in a moment."}
		}
		c.source = string(found.JSON200.Items[0].Source)
	}
	q := client.SearchLogParams{Q: optional(c.search), Pattern: optional(c.pattern), Previous: optional(c.previous), Limit: &c.lines}
	if c.since > 0 {
		q.From = new(time.Now().Add(-c.since))
	}
	if c.to != "" {
		return c.fetch(ctx, api, site, &client.DownloadLogParams{Q: q.Q, Pattern: q.Pattern, Previous: q.Previous, From: q.From})
	}
	found, err := api.SearchLogWithResponse(ctx, site, client.SearchLogParamsSource(c.source), &q)
	if err != nil {
		return err
	}
	if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	if !c.follow {
		if c.env.structured() {
			return c.env.printStructured(found.JSON200.Items)
		}
		return c.print(found.JSON200.Items...)
	}
	last := time.Now()
	if n := len(found.JSON200.Items); n > 0 {
		last = found.JSON200.Items[n-1].At
	}
	if err := c.print(found.JSON200.Items...); err != nil {
		return err
	}
	return c.goOn(ctx, api, site, last)
}

// fetch writes all lines of a log that are kept.
func (c *siteLogs) fetch(ctx context.Context, api *client.ClientWithResponses, site string, q *client.DownloadLogParams) error {
	body, err := client.Stream(api.DownloadLog(client.Long(ctx), site, client.DownloadLogParamsSource(c.source), q))
	if err != nil {
		return err
	}
	defer body.Close() // it was only read
	return c.env.saveAs(c.to, body)
}

// print writes lines: for a person behind their time, for a program an object a line.
func (c *siteLogs) print(lines ...client.LogLine) error {
	for _, l := range lines {
		if !c.env.structured() {
			c.env.say("%s  %s", l.At.Local().Format(time.DateTime), clean(l.Text))
			continue
		}
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		c.env.say("%s", text)
	}
	return nil
}

// goOn follows a log, also over a restart of the program or the panel, until somebody
// stops it. What only a person can mend ends it.
func (c *siteLogs) goOn(ctx context.Context, api *client.ClientWithResponses, site string, last time.Time) error {
	for {
		err := c.listen(ctx, api, site, &last)
		if passing := []hosting.Code{hosting.Unreachable, hosting.Conflict}; ctx.Err() == nil && err != nil && !slices.Contains(passing, hosting.CodeOf(err)) {
			return err
		}
		select {
		case <-ctx.Done():
			return &hosting.Error{Code: hosting.Interrupted, Message: "Stopped following.", Err: context.Cause(ctx)}
		case <-time.After(followAgain):
		}
	}
}

// listen prints what comes behind last, and moves that on, until the answer ends.
func (c *siteLogs) listen(ctx context.Context, api *client.ClientWithResponses, site string, last *time.Time) error {
	from := last.Add(1)
	q := client.FollowLogParams{Q: optional(c.search), Pattern: optional(c.pattern), From: &from}
	body, err := client.Stream(api.FollowLog(client.Long(ctx), site, client.FollowLogParamsSource(c.source), &q))
	if err != nil {
		return err
	}
	defer body.Close() // it was only read
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue // it says that it is still there
		}
		var l client.LogLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("read a line of the log: %w", err)
		}
		if err := c.print(l); err != nil {
			return err
		}
		*last = l.At
	}
	return nil // a connection that was cut is made anew
}
