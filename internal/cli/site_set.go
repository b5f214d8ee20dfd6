package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
)

type siteSet struct {
	env             *Env
	name            string
	php, storage    string
	runtime         string
	settings        []string
	suspend, resume bool
	wait, dryRun    bool
	timeout         time.Duration
}

func newSiteSet(env *Env) *cobra.Command {
	c := &siteSet{env: env}
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change a site: version, settings, storage, suspend and resume",
		Long: `Change a site. What is not named stays as it is.

Storage can grow and never shrink. Another version of its runtime restarts the
site, which visitors notice for a few seconds. A suspended site keeps its files, database and
names; visitors see a page that says it is suspended.`,
		Example: `  kubepanel site set blog.localhost --php 8.2 --wait
  kubepanel site set app.localhost --runtime python:3.11
  kubepanel site set app.localhost --setting workers=2 --setting timeout=
  kubepanel site set blog.localhost --storage 10Gi
  kubepanel site set blog.localhost --suspend`,
		Args:              oneName,
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := atLeastOne(cmd, changeFlagNames...); err != nil {
				return err
			}
			if c.suspend && c.resume {
				return &usageError{message: "--suspend and --resume are opposites; give one of them", command: cmd.CommandPath()}
			}
			c.name = args[0]
			return env.eitherSite(c.name, func(s panelSite) error { return c.throughPanel(cmd.Context(), s, c.change(cmd)) },
				func() error { return c.run(cmd.Context(), c.change(cmd)) })
		},
	}
	c.changeFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&c.wait, "wait", false, "show every step until the change is live")
	f.DurationVar(&c.timeout, "timeout", createTimeout, "longest `time` to wait with --wait")
	f.BoolVar(&c.dryRun, "dry-run", false, "check everything, print the object and change nothing")
	env.addOutput(cmd)
	return cmd
}

// changeFlagNames are the options that say what is to be changed.
var changeFlagNames = []string{"php", "runtime", "setting", "storage", "suspend", "resume"}

// changeFlags gives a command these options.
func (c *siteSet) changeFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.php, "php", "", "`version` of PHP")
	f.StringVar(&c.runtime, "runtime", "", "another version of what the site runs, as `TYPE:VERSION`")
	f.StringArrayVar(&c.settings, "setting", nil, "setting of the runtime, as `KEY=VALUE`; KEY= takes it away (may be repeated)")
	f.StringVar(&c.storage, "storage", "", "`size` of the volume; it can only grow")
	f.BoolVar(&c.suspend, "suspend", false, "stop the site and say so to visitors")
	f.BoolVar(&c.resume, "resume", false, "start a suspended site")
	complete(cmd, "php", c.env.phpVersions)
	complete(cmd, "runtime", c.env.runtimes)
}

func (c *siteSet) change(cmd *cobra.Command) hosting.SiteChange {
	change := hosting.SiteChange{Settings: c.settings}
	given := cmd.Flags().Changed
	if given("php") {
		change.PHP = &c.php
	}
	if given("runtime") {
		change.Runtime = &c.runtime
	}
	if given("storage") {
		change.Storage = &c.storage
	}
	if given("suspend") {
		change.Suspended = &c.suspend
	}
	if given("resume") {
		suspended := !c.resume
		change.Suspended = &suspended
	}
	return change
}

func (c *siteSet) run(ctx context.Context, change hosting.SiteChange) error {
	cluster, panel, err := c.env.open()
	if err != nil {
		return err
	}
	start := time.Now()
	d, changed, err := panel.ChangeSite(ctx, c.name, change, c.dryRun)
	if err != nil {
		return err
	}
	if c.dryRun {
		return c.env.printObject(d)
	}
	seen, name := watched{last: d}, d.Spec.DomainName
	if c.wait {
		g := untilLive(d, start, c.timeout)
		g.fresh = changed
		if seen, err = c.env.follow(ctx, cluster, d, g); err != nil {
			return err
		}
	}
	switch {
	case c.env.structured():
		return c.env.printStructured(seen.last)
	case !changed:
		c.env.say("%s is already as you ask.", hosting.ShowBoth(name))
	case c.wait:
		c.env.say("%s%s is changed after %s.", seen.gap, hosting.ShowBoth(name), seconds(time.Since(start)))
		return table(c.env.Out, seen.spent)
	default:
		c.env.say("%s is being changed. Follow it with: kubepanel site wait %s", hosting.ShowBoth(name), name)
	}
	return nil
}
