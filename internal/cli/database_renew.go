package cli

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// renewing is what is said when another password was asked for.
const renewing = "The database of %s gets another password; the one before it is good for ten minutes more. See it with: kubepanel site password %s --for database"

func newDatabaseRenew(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "renew-password NAME",
		Short: "Give a site's database another password",
		Long: `Give a site's database another password. The site's files have it within two minutes,
and the one before it is good for ten. WordPress and PHP notice nothing; a program that
reads it only when it starts has to be restarted within that time.`,
		Example:           "  kubepanel database renew-password blog.localhost",
		Args:              oneName,
		ValidArgsFunction: env.siteNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.eitherSite(args[0], func(s panelSite) error { return s.renewDatabase(cmd.Context()) },
				func() error { return renewDatabase(cmd.Context(), env, args[0]) })
		},
	}
	env.addOutput(cmd)
	return cmd
}

func renewDatabase(ctx context.Context, env *Env, name string) error {
	_, panel, err := env.open()
	if err != nil {
		return err
	}
	d, err := panel.RenewDatabasePassword(ctx, name, time.Now())
	if err != nil {
		return err
	}
	name = d.Spec.DomainName
	return env.done(map[string]string{"renewed": name}, renewing, hosting.ShowBoth(name), name)
}

func (s panelSite) renewDatabase(ctx context.Context) error {
	asked, err := s.api.RenewDatabasePasswordWithResponse(ctx, s.name, &client.RenewDatabasePasswordParams{IdempotencyKey: optional(rand.Text())})
	if err != nil {
		return err
	}
	if err := client.Check(asked.StatusCode(), asked.ApplicationProblemJSONDefault); err != nil {
		return err
	}
	return s.env.done(map[string]string{"renewed": s.name}, renewing, hosting.ShowBoth(s.name), s.name)
}
