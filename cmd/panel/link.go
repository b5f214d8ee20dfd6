package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/panel/auth"
)

// newLink prints the way to the first administrator. Whoever may run a program in
// the panel's pod may take the panel anyway.
func newLink(db *database) *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "link",
		Short: "Print the one-time link that makes the first administrator; nothing when there is one",
		Args:  cobra.NoArgs,
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
			token, err := doors.FirstLink(cmd.Context())
			if err != nil || token == "" {
				return err
			}
			// Behind the #, so that no server and no log sees it.
			_, err = fmt.Fprintln(cmd.OutOrStdout(), at.JoinPath("start").String()+"#"+token)
			return err
		},
	}
	cmd.Flags().StringVar(&address, "url", "https://panel.localhost", "the panel's `address`, as browsers show it")
	return cmd
}
