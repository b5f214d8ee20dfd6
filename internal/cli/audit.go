package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newAudit(env *Env) *cobra.Command {
	return group("audit", "The audit trail of a panel", "  kubepanel audit list --did site.create\n  kubepanel audit verify", newAuditList(env), newAuditExport(env), newAuditVerify(env), newAuditSending(env))
}

func newAuditList(env *Env) *cobra.Command {
	var did, object, actor, from, to string
	limit := int64(0)
	cmd := env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List what was done, the newest first",
		Example: "  kubepanel audit list --limit 20 --actor jo@shop.example\n  kubepanel audit list --from 2026-01-31 --to 2026-02-01T12:00:00Z\n  kubepanel audit list --object shop.example -o json"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			q := client.ListAuditParams{Did: &did, Object: &object}
			var err error
			if q.From, err = parseMoment("from", from); err != nil {
				return err
			}
			if q.To, err = parseMoment("to", to); err != nil {
				return err
			}
			if actor != "" {
				id, err := userID(ctx, api, actor)
				if err != nil {
					return err
				}
				q.Actor = &id
			}
			found, err := trail(ctx, api, q, limit)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(found))
			for _, e := range found {
				who := clean(e.ActorName)
				if e.BehindName != nil {
					who = clean(*e.BehindName) + " as " + who
				}
				rows = append(rows, []string{e.At.Local().Format(time.DateTime), who, e.Did, clean(e.Object)})
			}
			return env.rows(found, []string{"AT", "WHO", "DID", "TO"}, rows)
		})
	f := cmd.Flags()
	f.StringVar(&did, "did", "", "only this `action`, such as site.create")
	f.StringVar(&object, "object", "", "only what was done to this `name`")
	f.StringVar(&actor, "actor", "", "only what this `account` did, by its address or ID")
	f.StringVar(&from, "from", "", fromUsage)
	f.StringVar(&to, "to", "", toUsage)
	f.Int64Var(&limit, "limit", 50, "most `number` of entries")
	return cmd
}

// trail reads as many entries as were asked for, page by page.
func trail(ctx context.Context, api *client.ClientWithResponses, q client.ListAuditParams, limit int64) ([]client.Entry, error) {
	all := []client.Entry{}
	for {
		most := min(limit-int64(len(all)), mostAtOnce)
		q.Limit = &most
		found, err := api.ListAuditWithResponse(ctx, &q)
		if err != nil {
			return nil, err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return nil, err
		}
		all = append(all, found.JSON200.Items...)
		if q.Cursor = found.JSON200.Next; value(q.Cursor) == "" || int64(len(all)) >= limit {
			return all, nil
		}
	}
}

func newAuditVerify(env *Env) *cobra.Command {
	file := wording{names: []string{"the file"}, optional: true}
	cmd := env.with(file, &cobra.Command{Use: "verify [FILE]", Short: "Recalculate the whole trail, one that was exported, or what a log server has",
		Long: `Recalculate the whole trail: the panel's own, or one in a file, for which no panel is
asked: what an administrator exported as JSON, or what a log server wrote down as it came.
An entry that was changed, removed or put in is found and named. Whoever has an older export
can compare: the entry with the number of its newest one must still have that hash.`,
		Example: "  kubepanel audit verify\n  kubepanel audit verify trail.jsonl\n  kubepanel audit verify /var/log/kubepanel/audit"},
		func(ctx context.Context, api *client.ClientWithResponses, _ []string) error {
			found, err := api.VerifyAuditWithResponse(ctx)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(found.JSON200, "All %d entries are as they were written.", found.JSON200.Entries)
		})
	ask := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return env.checkFile(args[0])
		}
		return ask(cmd, args)
	}
	return cmd
}
