package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
)

type siteRestart struct {
	env     *Env
	wait    bool
	timeout time.Duration
}

func newSiteRestart(env *Env) *cobra.Command {
	c := &siteRestart{env: env}
	cmd := &cobra.Command{
		Use:   "restart NAME",
		Short: "Restart the programs of a site",
		Long: `Restart the programs of a site: its pod ends and another one starts, which visitors
notice for some seconds. Files, database and settings stay as they are. A change of
settings needs no restart: it is taken up by itself.`,
		Example:           "  kubepanel site restart blog.localhost --wait",
		Args:              oneName,
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.eitherSite(args[0], func(s panelSite) error { return c.throughPanel(cmd.Context(), s) },
				func() error { return c.run(cmd.Context(), args[0]) })
		},
	}
	cmd.Flags().BoolVar(&c.wait, "wait", false, "show every step until the site answers again")
	cmd.Flags().DurationVar(&c.timeout, "timeout", createTimeout, "longest `time` to wait with --wait")
	env.addOutput(cmd)
	return cmd
}

func (c *siteRestart) run(ctx context.Context, name string) error {
	cluster, panel, err := c.env.open()
	if err != nil {
		return err
	}
	start := time.Now()
	d, err := panel.RestartSite(ctx, name, start)
	if err != nil {
		return err
	}
	seen := watched{last: d}
	name = d.Spec.DomainName
	if c.wait {
		if seen, err = c.env.follow(ctx, cluster, d, untilLive(d, start, c.timeout)); err != nil {
			return err
		}
	}
	switch {
	case c.env.structured():
		return c.env.printStructured(seen.last)
	case c.wait:
		c.env.say("%s%s answers again after %s.", seen.gap, hosting.ShowBoth(name), seconds(time.Since(start)))
	default:
		c.env.say("%s is being restarted. Follow it with: kubepanel site wait %s", hosting.ShowBoth(name), name)
	}
	return nil
}
