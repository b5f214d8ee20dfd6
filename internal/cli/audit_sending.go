package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
)

func newAuditSending(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "sending", Short: "Show how far the trail came to the log server",
		Long: `Show how far the trail came to the log server that the provider set (panel.syslog of the
chart): the last entry that it confirmed, how many wait for how long, and why.`,
		Example: "  kubepanel audit sending\n  kubepanel audit sending -o json"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			found, err := api.GetAuditSendingWithResponse(ctx)
			if err != nil {
				return err
			}
			if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.showSending(found.JSON200)
		})
}

func (e *Env) showSending(s *client.Sending) error {
	switch {
	case e.structured():
		return e.printStructured(s)
	case s.Server == "":
		return e.done(s, "The trail is sent to no log server.")
	}
	confirmed := "none yet"
	if s.ConfirmedAt != nil {
		confirmed = fmt.Sprintf("up to entry %d with the hash %s, at %s", s.Seq, clean(s.Hash), s.ConfirmedAt.Local().Format(time.DateTime))
	}
	rows := [][]string{{"Server", clean(s.Server)}, {"Confirmed", confirmed}}
	if s.Since == nil {
		return table(e.Out, append(rows, []string{"Waiting", "none"}))
	}
	rows = append(rows, []string{"Waiting", fmt.Sprintf("%d entries, the first since %s", s.Waiting, s.Since.Local().Format(time.DateTime))})
	if s.Tries > 0 {
		rows = append(rows, []string{"Tried", fmt.Sprintf("%d times in vain", s.Tries)}, []string{"Why", clean(text(s.Message))}, []string{"What helps", clean(text(s.Mend))})
	}
	return table(e.Out, rows)
}
