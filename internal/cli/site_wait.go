package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// What site wait can wait for.
const (
	forReady   = "ready"
	forDeleted = "deleted"
)

func newSiteWait(env *Env) *cobra.Command {
	var (
		what    string
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:   "wait NAME",
		Short: "Watch a site until it is as it should be, or gone",
		Long: `Watch the steps of a site until it is as it should be, or gone.

It ends with exit code 1 when a step is stuck until somebody helps, or when the
time is over. The site goes on in either case.`,
		Example:           "  kubepanel site wait blog.localhost\n  kubepanel site wait blog.localhost --for deleted --timeout 1m",
		Args:              oneName,
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{forReady, forDeleted}, what) {
				return &usageError{message: fmt.Sprintf("--for %s is not known; it is ready or deleted", what), command: cmd.CommandPath()}
			}
			return env.eitherSite(args[0], func(s panelSite) error { return s.wait(cmd.Context(), what, timeout) },
				func() error { return siteWait(cmd.Context(), env, args[0], what, timeout) })
		},
	}
	cmd.Flags().StringVar(&what, "for", forReady, "`goal` to wait for: ready or deleted")
	cmd.Flags().DurationVar(&timeout, "timeout", createTimeout, "longest `time` to wait")
	complete(cmd, "for", words(forReady, forDeleted))
	env.addOutput(cmd)
	return cmd
}

func siteWait(ctx context.Context, env *Env, name, what string, timeout time.Duration) error {
	cluster, panel, err := env.open()
	if err != nil {
		return err
	}
	start := time.Now()
	d, err := panel.Site(ctx, name)
	if what == forDeleted && hosting.CodeOf(err) == hosting.NotFound && err != nil {
		env.say("There is no site %s.", clean(name))
		return nil
	}
	if err != nil {
		return err
	}
	g := untilLive(d, start, timeout)
	if what == forDeleted {
		g = untilGone(d, start, timeout)
	}
	seen, err := env.follow(ctx, cluster, d, g)
	if err != nil {
		return err
	}
	now := seen.last
	switch {
	case now == nil && env.structured():
		return env.printStructured(d)
	case now == nil:
		env.say("%s%s is gone.", seen.gap, hosting.ShowBoth(d.Spec.DomainName))
		return nil
	case env.structured():
		return env.printStructured(now)
	case now.Spec.Suspended:
		env.say("%s%s is suspended, as it should be.", seen.gap, hosting.ShowBoth(now.Spec.DomainName))
		return nil
	}
	env.say("%s%s is live.\n", seen.gap, hosting.ShowName(now.Spec.DomainName))
	return table(env.Out, siteDoors(now))
}

// untilGone is the goal of a site of which nothing is left.
func untilGone(d *v1alpha1.Domain, start time.Time, timeout time.Duration) goal {
	name := d.Spec.DomainName
	return goal{
		start: start, timeout: timeout,
		again: "kubepanel site wait " + name + " --for deleted",
		going: func(d *v1alpha1.Domain) string {
			if d != nil && d.DeletionTimestamp.IsZero() {
				return fmt.Sprintf("Nobody has deleted the site %s", hosting.ShowName(name))
			}
			return fmt.Sprintf("The site %s is still being deleted", hosting.ShowName(name))
		},
		reached: func(d *v1alpha1.Domain) (bool, error) {
			switch {
			case d == nil:
				return true, nil
			case d.DeletionTimestamp.IsZero():
				return false, nil
			}
			return false, hosting.StallOf(d)
		},
	}
}
