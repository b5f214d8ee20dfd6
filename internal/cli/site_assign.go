package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newSiteAssign(env *Env) *cobra.Command {
	yes := false
	cmd := env.with(wording{names: []string{"the name of the site", "the address of the account"}}, &cobra.Command{
		Use: "assign NAME ADDRESS", Short: "Give a site to another account",
		Long: `Give a site to another account at the panel, also one that was made without the panel and
belongs to nobody yet. The account's package must have room for it. Its visitors notice
nothing; who had it sees it no more. It asks to type the name of the site first.`,
		Example: "  kubepanel site assign shop.example jo@shop.example\n  kubepanel site assign shop.example jo@shop.example --yes"},
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			name, err := asciiName(args[0])
			if err != nil {
				return err
			}
			to, err := userID(ctx, api, args[1])
			if err != nil {
				return err
			}
			if to == args[1] && strings.Contains(to, "@") {
				return &hosting.Error{Code: hosting.NotFound, Message: "There is no account " + clean(to) + " that you may see.", Mend: "See which there are with: kubepanel user list"}
			}
			if err := env.confirm(ctx, yes, loss{tells: fmt.Sprintf("This gives %s to %s, with its files and its database; who had it sees it no more.", hosting.ShowBoth(name), args[1]),
				name: hosting.ShowName(name), does: "give it away"}); err != nil {
				return err
			}
			given, err := api.AssignSiteWithResponse(ctx, name, nil, client.AssignSiteRequest{Owner: to})
			if err != nil {
				return err
			}
			if err := client.Check(given.StatusCode(), given.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"site": name, "owner": to}, "%s belongs to %s now.", hosting.ShowBoth(name), clean(args[1]))
		})
	cmd.ValidArgsFunction = env.siteNames
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}
