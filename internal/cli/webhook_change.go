package cli

import (
	"context"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newWebhookShow(env *Env) *cobra.Command {
	return env.about("the webhook's name", &cobra.Command{Use: "show NAME", Short: "Show a webhook, except its secret", Example: "  kubepanel webhook show Shop"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			found, err := getWebhook(ctx, api, name)
			if err != nil {
				return err
			}
			w := found.JSON200
			if env.structured() {
				return env.printStructured(w)
			}
			return table(env.Out, [][]string{{"Name", clean(w.Name)}, {"Address", clean(w.URL)}, {"Events", clean(join(w.Events, ", "))}, {"State", webhookState(w)}})
		})
}

// webhookState tells whether a webhook is told anything, and why not.
func webhookState(w *client.Webhook) string {
	switch {
	case !w.Disabled:
		return "on"
	case value(w.Why) == "":
		return "off"
	}
	return "off: " + clean(*w.Why)
}

// getWebhook reads a webhook by its name or ID.
func getWebhook(ctx context.Context, api *client.ClientWithResponses, name string) (*client.GetWebhookResponse, error) {
	id, err := webhookID(ctx, api, name)
	if err != nil {
		return nil, err
	}
	found, err := api.GetWebhookWithResponse(ctx, id)
	if err != nil {
		return nil, err
	}
	return found, client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault)
}

func newWebhookChange(env *Env) *cobra.Command {
	var rename, address string
	var events []string
	var on, off bool
	var cmd *cobra.Command
	cmd = env.about("the webhook's name", &cobra.Command{Use: "change NAME", Short: "Change a webhook, or turn it on or off; what is not named stays",
		Long: `Change a webhook, or turn it on or off. What is not named stays; events that are named
replace those of before. One that was turned off because nobody answered goes on with
--on: what happened meanwhile is not sent. Where somebody else changed it in between,
nothing is changed.`,
		Example: "  kubepanel webhook change Shop --url https://new.example/hook\n  kubepanel webhook change Shop --event 'site.*' --event user.create\n  kubepanel webhook change Shop --on"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			if err := atLeastOne(cmd, "name", "url", "event", "on", "off"); err != nil {
				return err
			}
			found, err := getWebhook(ctx, api, name)
			if err != nil {
				return err
			}
			f := cmd.Flags()
			wish := client.WebhookChange{Name: given(f, "name", rename), URL: given(f, "url", address), Events: given(f, "event", events)}
			if on || off {
				wish.Disabled = &off
			}
			tag := found.HTTPResponse.Header.Get("Etag")
			set, err := api.ChangeWebhookWithResponse(ctx, found.JSON200.ID, &client.ChangeWebhookParams{IfMatch: &tag}, wish)
			if err != nil {
				return err
			}
			if err := client.Check(set.StatusCode(), set.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(set.JSON200, "Changed the webhook %s, which is %s.", clean(set.JSON200.Name), map[bool]string{false: "on", true: "off"}[set.JSON200.Disabled])
		})
	f := cmd.Flags()
	f.StringVar(&rename, "name", "", "another `name`")
	f.StringVar(&address, "url", "", "another `address` that is told, with https")
	f.StringSliceVar(&events, "event", nil, "`event` that it is told of, such as site.create or site.* (may be repeated)")
	f.BoolVar(&on, "on", false, "send what happens from now on")
	f.BoolVar(&off, "off", false, "send nothing any more")
	cmd.MarkFlagsMutuallyExclusive("on", "off")
	return cmd
}

func newWebhookSecret(env *Env) *cobra.Command {
	return env.about("the webhook's name", &cobra.Command{Use: "secret NAME", Short: "Give a webhook another secret, and print it once; the former signs no more",
		Example: "  kubepanel webhook secret Shop"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := webhookID(ctx, api, name)
			if err != nil {
				return err
			}
			made, err := api.RenewWebhookSecretWithResponse(ctx, id)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(made.JSON200, "Messages of %s are signed with this secret from now on, which is shown this once:\n%s", clean(name), text(made.JSON200.Secret))
		})
}
