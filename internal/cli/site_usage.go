package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newSiteUsage(env *Env) *cobra.Command {
	var month bool
	cmd := env.with(wording{names: []string{wordSite}}, &cobra.Command{
		Use: "usage NAME", Short: "Show what a site used during the last day or month",
		Long: `Show what a site used during the last day by five minutes, or month by the hour: thousandths
of a core, memory and storage. A span in which nothing was measured is left out.

It asks the panel that you are signed in to.`,
		Example: "  kubepanel site usage blog.localhost\n  kubepanel site usage blog.localhost --month --output json", ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		span := client.Day
		if month {
			span = client.Month
		}
		found, err := api.GetSiteUsageWithResponse(ctx, args[0], &client.GetSiteUsageParams{Span: &span})
		if err != nil {
			return err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		if env.structured() {
			return env.printStructured(found.JSON200)
		}
		if len(found.JSON200.Samples) == 0 {
			env.say("Nothing was measured yet.")
			return nil
		}
		const mebi = 1 << 20
		rows := make([][]string, 0, len(found.JSON200.Samples))
		for _, s := range found.JSON200.Samples {
			rows = append(rows, []string{s.At.Local().Format(time.DateTime), fmt.Sprint(s.CPU), fmt.Sprint(s.Memory / mebi), fmt.Sprint(s.Storage / mebi)})
		}
		return env.rows(rows, []string{"FROM", "CPU m", "MEMORY MiB", "STORAGE MiB"}, rows)
	})
	cmd.Flags().BoolVar(&month, "month", false, "the last month, by the hour")
	return cmd
}
