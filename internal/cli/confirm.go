package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
)

// loss is what a person confirms by typing a name, so that nothing is lost by a slip of
// the finger.
type loss struct {
	// tells is what comes of it, and name what has to be typed.
	tells, name string
	// does ends the sentence "Type NAME to …", such as "delete it".
	does string
}

// confirm asks whether that is meant, unless yes says so already. It speaks on the error
// output, so that an answer for a program stays clean.
func (e *Env) confirm(ctx context.Context, yes bool, l loss) error {
	if yes {
		return nil
	}
	if !e.Ask {
		return &hosting.Error{Code: hosting.Invalid, Message: clean(l.tells) + " That needs somebody who confirms it, and nobody can be asked here.",
			Mend: "Say so beforehand with: --yes"}
	}
	fmt.Fprintf(e.Err, "%s\nType %s to %s: ", clean(l.tells), clean(l.name), l.does) // without the question the answer will not fit
	typed, err := e.readLine(ctx)
	if err != nil {
		return err
	}
	if !strings.EqualFold(typed, l.name) {
		return &hosting.Error{Code: hosting.Conflict, Message: fmt.Sprintf("That is not %s, so nothing was changed.", clean(l.name))}
	}
	return nil
}

// addYes adds the flag that says beforehand what would be asked.
func addYes(cmd *cobra.Command, yes *bool) *cobra.Command {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
	return cmd
}
