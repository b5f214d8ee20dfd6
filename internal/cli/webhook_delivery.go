package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newWebhookDeliveries(env *Env) *cobra.Command {
	most := int64(0)
	cmd := env.about("the webhook's name", &cobra.Command{Use: "deliveries NAME", Short: "List what was sent, the newest first",
		Example: "  kubepanel webhook deliveries Shop\n  kubepanel webhook deliveries Shop --limit 200 -o json"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := webhookID(ctx, api, name)
			if err != nil {
				return err
			}
			found, err := api.ListDeliveriesWithResponse(ctx, id, &client.ListDeliveriesParams{Limit: &most})
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			rows := make([][]string, 0, len(found.JSON200.Items))
			for _, d := range found.JSON200.Items {
				rows = append(rows, []string{clean(d.ID), d.CreatedAt.Local().Format(time.DateTime), clean(d.Event), string(d.State), fmt.Sprint(d.Tries), text(d.Said)})
			}
			return env.rows(found.JSON200.Items, []string{"ID", "AT", "EVENT", "STATE", "TRIES", "SAID"}, rows)
		})
	cmd.Flags().Int64Var(&most, "limit", 50, "most `number` of messages, up to 200")
	return cmd
}

var deliveryWords = wording{names: []string{"the webhook's name", "the message's ID"}}

func newWebhookDelivery(env *Env) *cobra.Command {
	return env.with(deliveryWords, &cobra.Command{Use: "delivery NAME ID", Short: "Show a message that was sent, with all of its content",
		Example: "  kubepanel webhook delivery Shop ID -o json"},
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			id, err := webhookID(ctx, api, args[0])
			if err != nil {
				return err
			}
			found, err := api.GetDeliveryWithResponse(ctx, id, args[1])
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.printObject(found.JSON200)
		})
}

func newWebhookReplay(env *Env) *cobra.Command {
	return env.with(deliveryWords, &cobra.Command{Use: "replay NAME ID", Short: "Send a message once more",
		Example: "  kubepanel webhook deliveries Shop\n  kubepanel webhook replay Shop ID"},
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			id, err := webhookID(ctx, api, args[0])
			if err != nil {
				return err
			}
			sent, err := api.ReplayDeliveryWithResponse(ctx, id, args[1], nil)
			if err != nil {
				return err
			}
			if err := client.Check(sent.StatusCode(), sent.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(sent.JSON202, "The message is on its way again, as %s. See what becomes of it with: kubepanel webhook deliveries %s", clean(sent.JSON202.ID), clean(args[0]))
		})
}
