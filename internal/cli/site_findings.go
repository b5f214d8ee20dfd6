package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newSiteFindings(env *Env) *cobra.Command {
	return group("findings", "Harmful files that were found in a site",
		"  kubepanel site findings list blog.localhost\n  kubepanel site findings look blog.localhost",
		newFindingsList(env), newFindingsLook(env), newFindingsRestore(env), newFindingsDelete(env))
}

func newFindingsList(env *Env) *cobra.Command {
	return env.with(wording{names: []string{"the name of the site"}}, &cobra.Command{
		Use: "list NAME", Aliases: []string{"ls"}, Short: "List the harmful files that were found in a site, the newest first", Example: "  kubepanel site findings list blog.localhost",
		ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		found, err := allFindings(ctx, api, args[0])
		if err != nil {
			return err
		}
		rows := make([][]string, 0, len(found.Items))
		for _, f := range found.Items {
			rows = append(rows, []string{clean(f.ID), string(f.State), clean(f.Found), clean(f.Path), fmt.Sprint(f.Size), f.At.Local().Format(time.DateTime)})
		}
		return env.rows(found, []string{"ID", "STATE", "FOUND", "PATH", "SIZE", "AT"}, rows)
	})
}

// allFindings reads page after page into the first one.
func allFindings(ctx context.Context, api *client.ClientWithResponses, site string) (*client.Findings, error) {
	var all *client.Findings
	cursor, most := "", int64(200)
	for {
		page, err := api.ListFindingsWithResponse(ctx, site, &client.ListFindingsParams{Cursor: &cursor, Limit: &most})
		if err != nil {
			return nil, err
		}
		if err := client.Check(page.StatusCode(), page.ApplicationProblemJSONDefault); err != nil {
			return nil, err
		}
		next := page.JSON200.Next
		if page.JSON200.Next = nil; all == nil {
			all = page.JSON200
		} else {
			all.Items = append(all.Items, page.JSON200.Items...)
		}
		if next == nil || *next == "" {
			return all, nil
		}
		cursor = *next
	}
}

func newFindingsLook(env *Env) *cobra.Command {
	return env.with(wording{names: []string{"the name of the site"}}, &cobra.Command{
		Use: "look NAME", Short: "Have all files of a site looked at now", Example: "  kubepanel site findings look blog.localhost", ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		asked, err := api.SweepSiteWithResponse(ctx, args[0], nil)
		if err != nil {
			return err
		}
		if err := client.Check(asked.StatusCode(), asked.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		return env.done(asked.JSON202, "All files of %s are looked at as soon as it is its turn. What is found is in: kubepanel site findings list %s", clean(args[0]), clean(args[0]))
	})
}

func siteAndFinding() wording {
	return wording{names: []string{"the name of the site", "the id of the finding"}}
}

func newFindingsRestore(env *Env) *cobra.Command {
	return env.with(siteAndFinding(), &cobra.Command{
		Use: "restore NAME ID", Short: "Take a file for harmless: it goes back where it was, and is not taken again",
		Example: "  kubepanel site findings restore blog.localhost 019a8f0e-7c1b-7d7f-9d2e-0c7c5d1e2f3a", ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		done, err := api.RestoreFindingWithResponse(ctx, args[0], args[1], nil)
		if err != nil {
			return err
		}
		if err := client.Check(done.StatusCode(), done.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		return env.done(map[string]string{"restored": args[1]}, "It is taken for harmless, and lies where it was.")
	})
}

func newFindingsDelete(env *Env) *cobra.Command {
	yes := false
	return addYes(env.with(siteAndFinding(), &cobra.Command{
		Use: "delete NAME ID", Aliases: []string{"rm"}, Short: "Remove a harmful file for good",
		Example: "  kubepanel site findings delete blog.localhost 019a8f0e-7c1b-7d7f-9d2e-0c7c5d1e2f3a", ValidArgsFunction: env.siteNames,
	}, func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
		if err := env.confirm(ctx, yes, loss{tells: "Nothing brings the file back. Look whether the site still works without it.", name: args[0], does: "delete it from that site"}); err != nil {
			return err
		}
		done, err := api.DeleteFindingWithResponse(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		if err := client.Check(done.StatusCode(), done.ApplicationProblemJSONDefault); err != nil {
			return err
		}
		return env.done(map[string]string{"deleted": args[1]}, "It is gone for good.")
	}), &yes)
}
