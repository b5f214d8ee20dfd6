package cli

import (
	"context"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newDatabase(env *Env) *cobra.Command {
	return group("database", "Look into a site's database", "  kubepanel database visit blog.localhost", newDatabaseVisit(env), newDatabaseRenew(env))
}

func newDatabaseVisit(env *Env) *cobra.Command {
	return env.about("the name of the site", &cobra.Command{Use: "visit NAME", Short: "Print an address that opens phpMyAdmin, signed in at a site's database",
		Long: `Print an address that opens phpMyAdmin, signed in at a site's database. Whoever opens it
first has the visit, so it is printed for you alone: it is good once and for a minute. The
visit itself ends with your token, 20 minutes after its last use, and after four hours.`,
		Example: "  kubepanel database visit blog.localhost", ValidArgsFunction: env.siteNames},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			ascii, err := asciiName(name)
			if err != nil {
				return err
			}
			made, err := api.VisitDatabaseWithResponse(ctx, ascii)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(made.JSON201, "phpMyAdmin for %s, good once and for a minute:\n%s", hosting.ShowBoth(ascii), clean(made.JSON201.URL))
		})
}
