package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newAccount(env *Env) *cobra.Command {
	return group("account", "Your own account at a panel", "  kubepanel account show\n  kubepanel account sessions", newAccountShow(env), newAccountSessions(env), newAccountBrowsers(env))
}

func newAccountShow(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "show", Short: "Show whose token you are signed in with, and what it is good for", Example: "  kubepanel account show"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			found, err := api.GetAccountWithResponse(ctx)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			a := found.JSON200
			if env.structured() {
				return env.printStructured(a)
			}
			rows := [][]string{{"Account", clean(a.Email) + ", " + clean(a.Name)}, {"Role", string(a.Role)}, {"Token", clean(strings.Join(a.Scopes, " "))}}
			for _, g := range value(a.Grants) {
				rows = append(rows, []string{"On " + on(value(g.Site)), clean(strings.Join(g.Rights, " "))})
			}
			return table(env.Out, rows)
		})
}

func newAccountSessions(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "sessions", Short: "List the browsers that you are signed in with", Example: "  kubepanel account sessions"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			found, err := api.ListSessionsWithResponse(ctx)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			rows := make([][]string, 0, len(found.JSON200.Items))
			for _, s := range found.JSON200.Items {
				who := map[bool]string{false: "you", true: "the provider, for support"}[s.Support]
				rows = append(rows, []string{s.CreatedAt.Local().Format(time.DateTime), clean(s.Address), who, clean(s.Agent)})
			}
			return env.rows(found.JSON200.Items, []string{"SINCE", "ADDRESS", "WHO", "BROWSER"}, rows)
		})
}

func newAccountBrowsers(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "browsers", Short: "List the browsers that your account knows", Example: "  kubepanel account browsers",
		Long: "List the browsers that your account knows. With any other one your password takes a code\nthat is mailed to you, unless you have a second factor. The page of your account at the\npanel forgets them."},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			found, err := api.ListBrowsersWithResponse(ctx)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			rows := make([][]string, 0, len(found.JSON200.Items))
			for _, b := range found.JSON200.Items {
				rows = append(rows, []string{b.UsedAt.Local().Format(time.DateTime), b.ExpiresAt.Local().Format(time.DateTime), clean(b.Address), clean(b.Agent)})
			}
			return env.rows(found.JSON200.Items, []string{"USED", "FORGOTTEN", "ADDRESS", "BROWSER"}, rows)
		})
}

func newPanelShow(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "show", Short: "Show how sites of the panel in use are reached, and which rights there are", Example: "  kubepanel panel show"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			found, err := api.GetPlatformWithResponse(ctx)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			p := found.JSON200
			if env.structured() {
				return env.printStructured(p)
			}
			return table(env.Out, [][]string{{"Sites", clean(p.SiteURL)}, {"SFTP", clean(string(p.Sftp))},
				{"Tokens", clean(strings.Join(p.Rights, " "))}, {"Collaborators", clean(strings.Join(p.Shares, " "))}})
		})
}
