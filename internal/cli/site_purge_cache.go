package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
)

func newSitePurgeCache(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "purge-cache NAME",
		Short: "Empty the page cache of a site",
		Long: `Empty the page cache of a site (spec.webserver.cache). Every page is made anew
when it is asked for the next time. It takes effect within seconds, without a
restart.`,
		Example:           "  kubepanel site purge-cache blog.localhost",
		Args:              oneName,
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.eitherSite(args[0], func(s panelSite) error { return s.purgeCache(cmd.Context()) },
				func() error { return purgeCache(cmd.Context(), env, args[0]) })
		},
	}
	env.addOutput(cmd)
	return cmd
}

func purgeCache(ctx context.Context, env *Env, name string) error {
	_, panel, err := env.open()
	if err != nil {
		return err
	}
	d, err := panel.PurgeCache(ctx, name, time.Now())
	if err != nil {
		return err
	}
	if env.structured() {
		return env.printStructured(d)
	}
	env.say("The page cache of %s is emptied; its pages are made anew within seconds.", hosting.ShowBoth(d.Spec.DomainName))
	return nil
}
