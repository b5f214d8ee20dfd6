package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

func newUserResetFactors(env *Env) *cobra.Command {
	yes, file := false, ""
	cmd := env.about("the account's address", &cobra.Command{Use: "reset-factors ADDRESS", Short: "Take an account's second factors away, for who has lost them all",
		Long: `Take an account's second factors away, for who has lost passkeys, authenticator
and recovery codes: its sessions end, a mail tells it, and it sets up a new one
at its next sign-in. Make sure first that it is really they who ask.

It needs your own password as well, which is asked for or read from a file.`,
		Example: "  kubepanel user reset-factors jo@shop.example"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			id, err := userID(ctx, api, name)
			if err != nil {
				return err
			}
			l := loss{tells: "Its passkeys, its authenticator app and its recovery codes count no more then.", name: name, does: "take them away"}
			if err := env.confirm(ctx, yes, l); err != nil {
				return err
			}
			password, err := env.ownPassword(ctx, file)
			if err != nil {
				return err
			}
			reset, err := api.ResetUserFactorsWithResponse(ctx, id, client.FactorsReset{Password: password})
			if err != nil {
				return err
			}
			if err := client.Check(reset.StatusCode(), reset.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"reset": name}, "%s sets up a second factor at the next sign-in.", clean(name))
		})
	cmd.Flags().StringVar(&file, "password-file", "", "`file` with your own password (default: it is asked for, or read from standard input)")
	return addYes(cmd, &yes)
}

// ownPassword reads the password of who sits there, which a terminal does not show.
func (e *Env) ownPassword(ctx context.Context, file string) (string, error) {
	if file != "" && file != "-" {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", &hosting.Error{Code: hosting.Invalid, Message: "The file of the password can't be read: " + file + ".", Err: err}
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	if !e.Ask {
		return e.readLine(ctx)
	}
	fmt.Fprint(e.Err, "Your own password: ")
	if e.Unseen == nil {
		return e.readLine(ctx)
	}
	return e.Unseen(ctx)
}
