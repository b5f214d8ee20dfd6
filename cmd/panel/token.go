package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// newToken prints a token for an account. Whoever may run a program in the panel's pod
// may take the panel anyway.
func newToken(db *database) *cobra.Command {
	const month = 30 * 24 * time.Hour
	req, email, scopes := auth.NewToken{Name: "panel token", Life: month}, "", []string(nil)
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print a token of the API for an account",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opened, err := db.open(cmd.Context(), nil)
			if err != nil {
				return err
			}
			defer opened.Close()
			// Nobody signs in here, so the address that browsers use plays no part.
			doors, err := auth.New(auth.Options{Provider: provider(opened), URL: &url.URL{Scheme: "https", Host: "localhost"}})
			if err != nil {
				return err
			}
			req.Scopes = auth.TokenScopes()
			if len(scopes) > 0 {
				req.Scopes = nil
				for _, s := range scopes {
					req.Scopes = append(req.Scopes, hosting.Right(s))
				}
			}
			text, err := doors.IssueToken(cmd.Context(), email, req)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&email, "for", "", "mail `address` of the account")
	flags.StringVar(&req.Name, "name", req.Name, "`name` that it is listed by")
	flags.DurationVar(&req.Life, "life", req.Life, "`time` until it ends, a year at most")
	flags.StringSliceVar(&scopes, "scope", nil, "`right` that it is good for, such as site.view (may be repeated; default: all that the account may do, but for changing how it signs in)")
	cobra.CheckErr(cmd.MarkFlagRequired("for"))
	return cmd
}
