package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newFilesRemove(env *Env) *cobra.Command {
	return env.filesCommand(wording{names: []string{wordPath}, many: true}, "rm NAME PATH...", "Move files into the site's trash", "rm blog.localhost /html/old.php",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			done, err := api.TrashFilesWithResponse(ctx, args[0], nil, client.Paths{Paths: args[1:]})
			if err != nil {
				return err
			}
			if err := client.Check(done.StatusCode(), done.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string][]string{"trashed": args[1:]}, "In the trash, from where they can be had back: kubepanel site files trash %s", clean(args[0]))
		})
}

func newFilesTrash(env *Env) *cobra.Command {
	return env.filesCommand(wording{}, "trash NAME", "List a site's trash, the newest first", "trash blog.localhost",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			all, err := allTrash(ctx, api, args[0])
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(all))
			for _, t := range all {
				rows = append(rows, []string{clean(t.Name), clean(t.From), string(t.Kind), fmt.Sprint(t.Size), t.At.Local().Format(time.DateTime)})
			}
			return env.rows(all, []string{"NAME", "FROM", "KIND", "SIZE", "AT"}, rows)
		})
}

func newFilesRestore(env *Env) *cobra.Command {
	return env.filesCommand(wording{names: []string{"the name in the trash"}, many: true}, "restore NAME TRASHED...", "Put things from the trash back where they were",
		"restore blog.localhost old.php.KX7R2MPD",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			done, err := api.RestoreFilesWithResponse(ctx, args[0], nil, client.TrashNames{Names: args[1:]})
			if err != nil {
				return err
			}
			if err := client.Check(done.StatusCode(), done.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string][]string{"restored": args[1:]}, "Put back %d.", len(args)-1)
		})
}

func newFilesEmpty(env *Env) *cobra.Command {
	yes, l := false, &lateDeed{env: env}
	return l.add(addYes(env.filesCommand(wording{}, "empty-trash NAME", "Remove for good what is in a site's trash", "empty-trash blog.localhost",
		func(ctx context.Context, api *client.ClientWithResponses, args []string) error {
			if err := env.confirm(ctx, yes, loss{tells: "Nothing brings back what is in the trash of " + args[0] + ".", name: args[0], does: "empty it"}); err != nil {
				return err
			}
			done, err := api.EmptyTrashWithResponse(client.Long(ctx), args[0], &client.EmptyTrashParams{Prefer: l.prefer()})
			if over, err := l.over(ctx, api, args[0], done, err); err != nil || !over {
				return err
			}
			return env.done(map[string]string{"emptied": args[0]}, "The trash of %s is empty.", clean(args[0]))
		}), &yes))
}

func allTrash(ctx context.Context, api *client.ClientWithResponses, site string) ([]client.Thrown, error) {
	return everyPage(func(cursor *string, most *int64) ([]client.Thrown, *string, error) {
		found, err := api.ListTrashWithResponse(ctx, site, &client.ListTrashParams{Cursor: cursor, Limit: most})
		if err != nil {
			return nil, nil, err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return nil, nil, err
		}
		return found.JSON200.Items, found.JSON200.Next, nil
	})
}
