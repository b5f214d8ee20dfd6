package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newToken(env *Env) *cobra.Command {
	return group("token", "Your tokens of a panel", "  kubepanel token list", newTokenList(env))
}

func newTokenList(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List your tokens",
		Example: "  kubepanel token list"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			found, err := api.ListTokensWithResponse(ctx)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			rows := make([][]string, 0, len(found.JSON200.Items))
			for _, t := range found.JSON200.Items {
				used := "never"
				if t.UsedAt != nil {
					used = age(*t.UsedAt) + " ago"
				}
				rows = append(rows, []string{clean(t.Name), t.ExpiresAt.Local().Format(time.DateOnly), used, strings.Join(t.Scopes, ",")})
			}
			return env.rows(found.JSON200.Items, []string{"NAME", "ENDS", "USED", "SCOPES"}, rows)
		})
}
