package cli

import (
	"context"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
)

func newSitePassword(env *Env) *cobra.Command {
	var purpose string
	cmd := &cobra.Command{
		Use:   "password NAME",
		Short: "Print one of a site's passwords",
		Long: `Print one of a site's passwords, and nothing else: it can be piped on. The account
and the address stand beside it with --output json.

It is read from the cluster each time and kept nowhere.`,
		Example: `  kubepanel site password blog.localhost
  kubepanel site password blog.localhost --for sftp
  kubepanel site password blog.localhost --for database --output json`,
		Args:              oneName,
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.eitherSite(args[0], func(s panelSite) error { return s.password(cmd.Context(), purpose) },
				func() error { return sitePassword(cmd.Context(), env, args[0], hosting.Purpose(purpose)) })
		},
	}
	cmd.Flags().StringVar(&purpose, "for", "", "what it opens, the `purpose`: "+join(hosting.Purposes(), ", ")+" (default: wordpress if there is one, else sftp)")
	complete(cmd, "for", words(hosting.Purposes()...))
	env.addOutput(cmd)
	return cmd
}

func sitePassword(ctx context.Context, env *Env, name string, purpose hosting.Purpose) error {
	_, panel, err := env.open()
	if err != nil {
		return err
	}
	d, err := panel.Site(ctx, name)
	if err != nil {
		return err
	}
	if purpose == "" {
		purpose = hosting.DefaultPurpose(d)
	}
	c, err := panel.Password(ctx, d, purpose)
	if err != nil {
		return err
	}
	if env.structured() {
		return env.printStructured(c)
	}
	env.say("%s", c.Password)
	return nil
}
