package cli

import (
	"context"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newWebhook(env *Env) *cobra.Command {
	return group("webhook", "Addresses that a panel tells what happens", "  kubepanel webhook list\n  kubepanel webhook create Shop --url https://hooks.example/ --event 'site.*'",
		newWebhookList(env), newWebhookShow(env), newWebhookCreate(env), newWebhookChange(env), newWebhookSecret(env), newWebhookTest(env),
		newWebhookDeliveries(env), newWebhookDelivery(env), newWebhookReplay(env), newWebhookDelete(env))
}

func allWebhooks(ctx context.Context, api *client.ClientWithResponses) ([]client.Webhook, error) {
	found, err := api.ListWebhooksWithResponse(ctx)
	if err != nil {
		return nil, err
	}
	if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
		return nil, err
	}
	return found.JSON200.Items, nil
}

// webhookID finds a webhook by its name or ID; of several with a name, none.
func webhookID(ctx context.Context, api *client.ClientWithResponses, name string) (string, error) {
	all, err := allWebhooks(ctx, api)
	if err != nil {
		return "", err
	}
	found, err := named(all, "webhook", name, func(w *client.Webhook) (string, string) { return w.ID, w.Name })
	if err != nil {
		return "", err
	}
	return found.ID, nil
}

func newWebhookList(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List your webhooks", Example: "  kubepanel webhook list -o json"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			all, err := allWebhooks(ctx, api)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(all))
			for i := range all {
				w := &all[i]
				rows = append(rows, []string{clean(w.Name), clean(w.URL), clean(join(w.Events, ",")), webhookState(w)})
			}
			return env.rows(all, []string{"NAME", "URL", "EVENTS", "STATE"}, rows)
		})
}

func newWebhookCreate(env *Env) *cobra.Command {
	req := client.NewWebhook{}
	cmd := env.about("the webhook's name", &cobra.Command{Use: "create NAME", Short: "Have an address be told what happens, and print its secret once",
		Example: "  kubepanel webhook create Shop --url https://hooks.example/ --event site.create --event 'user.*'"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			req.Name = name
			made, err := api.CreateWebhookWithResponse(ctx, nil, req)
			if err != nil {
				return err
			}
			if err := client.Check(made.StatusCode(), made.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(made.JSON201, "Made the webhook %s. Its messages are signed with this secret, which is shown this once:\n%s", clean(name), text(made.JSON201.Secret))
		})
	cmd.Flags().StringVar(&req.URL, "url", "", "`address` that is told, with https")
	cmd.Flags().StringSliceVar(&req.Events, "event", []string{"*"}, "`event` that it is told of, such as site.create or site.* (may be repeated)")
	return cmd
}

func newWebhookTest(env *Env) *cobra.Command {
	return env.about("the webhook's name", &cobra.Command{Use: "test NAME", Short: "Send an empty message", Example: "  kubepanel webhook test Shop"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := webhookID(ctx, api, name)
			if err != nil {
				return err
			}
			sent, err := api.TestWebhookWithResponse(ctx, id, nil)
			if err != nil {
				return err
			}
			if err := client.Check(sent.StatusCode(), sent.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(sent.JSON202, "A message is on its way. See what becomes of it with: kubepanel webhook deliveries %s", clean(name))
		})
}

func newWebhookDelete(env *Env) *cobra.Command {
	yes := false
	return addYes(env.about("the webhook's name", &cobra.Command{Use: "delete NAME", Short: "Delete a webhook", Example: "  kubepanel webhook delete Shop"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := webhookID(ctx, api, name)
			if err != nil {
				return err
			}
			if err := env.confirm(ctx, yes, loss{tells: "The webhook, its secret and what is still to be sent are gone then.", name: name, does: "delete it"}); err != nil {
				return err
			}
			gone, err := api.DeleteWebhookWithResponse(ctx, id, nil)
			if err != nil {
				return err
			}
			if err := client.Check(gone.StatusCode(), gone.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"deleted": name}, "Deleted the webhook %s.", clean(name))
		}), &yes)
}
