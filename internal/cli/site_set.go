package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
)

type siteSet struct {
	env               *Env
	name              string
	change            siteChange
	yes, wait, dryRun bool
	timeout           time.Duration
}

func newSiteSet(env *Env) *cobra.Command {
	c := &siteSet{env: env, change: siteChange{env: env}}
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change a site: names, version, configuration, web server, limits, keys, suspend and resume",
		Long: `Change a site. What is not named stays as it is; of names and keys those that are given
are all that the site has then.

What restarts or stops the site, which visitors notice, and what takes a name or a key
from it, is shown first and asked about where a person sits at the terminal. A script is
not asked: what it says is done. To see everything that would change, say site plan in
place of site set.

Storage can grow and never shrink. Configuration is tested before it is used, and what its
program refuses changes nothing. A suspended site keeps its files, database and names;
visitors see a page that says it is suspended.`,
		Example: `  kubepanel site set blog.localhost --php 8.2 --wait
  kubepanel site set app.localhost --runtime python:3.11
  kubepanel site set app.localhost --setting workers=2 --setting timeout=
  kubepanel site set app.localhost --env DEBUG=1 --env-file secrets.env
  kubepanel site set app.localhost --command node --command server.js --args=--verbose
  kubepanel site set app.localhost --port 3000 --proxy-mode http
  kubepanel site set blog.localhost --preferred-node node-2
  kubepanel site set blog.localhost --alias blog.example --alias news.example
  kubepanel site set blog.localhost --storage 10Gi --cpu 2 --memory 1Gi
  kubepanel site set blog.localhost --authorized-keys ~/.ssh/id_ed25519.pub
  kubepanel site set blog.localhost --webserver-config nginx.conf --upload-size 256m
  echo 'display_errors = on' | kubepanel site set blog.localhost --runtime-config -
  kubepanel site set blog.localhost --suspend`,
		Args:              oneName,
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !c.change.any() {
				return &usageError{message: "nothing to do: say what to change", command: cmd.CommandPath()}
			}
			change, err := c.change.read(cmd)
			if err != nil {
				return err
			}
			c.name = args[0]
			return env.eitherSite(c.name, func(s panelSite) error { return c.throughPanel(cmd.Context(), s, change) },
				func() error { return c.run(cmd.Context(), change) })
		},
	}
	c.change.add(cmd)
	f := cmd.Flags()
	f.BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&c.wait, "wait", false, "show every step until the change is live")
	f.DurationVar(&c.timeout, "timeout", createTimeout, "longest `time` to wait with --wait")
	f.BoolVar(&c.dryRun, "dry-run", false, "check everything, print the object and change nothing")
	env.addOutput(cmd)
	return cmd
}

func (c *siteSet) run(ctx context.Context, change hosting.SiteChange) error {
	cluster, panel, err := c.env.open()
	if err != nil {
		return err
	}
	if err := c.sure(ctx, func() (*hosting.Plan, error) { return panel.PlanChange(ctx, c.name, change) }); err != nil {
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
