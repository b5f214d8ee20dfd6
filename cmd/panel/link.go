package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/panel/auth"
)

// newLink prints the way to the first administrator, or back in for an account that has
// lost its second factor. Whoever may run a program in the panel's pod may take the panel
// anyway.
func newLink(db *database) *cobra.Command {
	var address, email string
	cmd := &cobra.Command{
		Use:   "link",
		Short: "Print the one-time link that makes the first administrator; nothing when there is one",
		Long: `Print the one-time link that makes the first administrator; nothing when there
is one.

With --for, print one with which an account sets its password anew and loses its
passkeys, its authenticator app and its recovery codes: the way back for the last
administrator. It works once, within an hour, and changes nothing until somebody
follows it; the audit trail has both.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := url.Parse(address)
			if err != nil {
				return fmt.Errorf("read --url: %w", err)
			}
			opened, err := db.open(cmd.Context(), nil)
			if err != nil {
				return err
			}
			defer opened.Close()
			doors, err := auth.New(auth.Options{Provider: provider(opened), URL: at})
			if err != nil {
				return err
			}
			page, token := "start", ""
			if email == "" {
				token, err = doors.FirstLink(cmd.Context())
			} else {
				page = "password"
				token, err = doors.RecoveryLink(cmd.Context(), email)
			}
			if err != nil || token == "" {
				return err
			}
			// Behind the #, so that no server and no log sees it.
			_, err = fmt.Fprintln(cmd.OutOrStdout(), at.JoinPath(page).String()+"#"+token)
			return err
		},
	}
	cmd.Flags().StringVar(&email, "for", "", "mail `address` of an account that has lost its second factor; empty: the first administrator's link")
	cmd.Flags().StringVar(&address, "url", "https://panel.localhost", "the panel's `address`, as browsers show it")
	return cmd
}
