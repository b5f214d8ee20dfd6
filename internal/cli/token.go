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
			all, err := allTokens(ctx, api)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(all))
			for _, t := range all {
				used := "never"
				if t.UsedAt != nil {
					used = age(*t.UsedAt) + " ago"
				}
				rows = append(rows, []string{clean(t.Name), t.ExpiresAt.Local().Format(time.DateOnly), used, strings.Join(t.Scopes, ",")})
			}
			return env.rows(all, []string{"NAME", "ENDS", "USED", "SCOPES"}, rows)
		})
}

func allTokens(ctx context.Context, api *client.ClientWithResponses) ([]client.Token, error) {
	return everyPage(func(cursor *string, most *int64) ([]client.Token, *string, error) {
		found, err := api.ListTokensWithResponse(ctx, &client.ListTokensParams{Cursor: cursor, Limit: most})
		if err != nil {
			return nil, nil, err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return nil, nil, err
		}
		return found.JSON200.Items, found.JSON200.Next, nil
	})
}
