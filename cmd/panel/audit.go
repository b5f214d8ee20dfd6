package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
)

func newAudit(db *database) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "The audit trail"}
	cmd.AddCommand(&cobra.Command{
		Use:   "verify",
		Short: "Recalculate the whole trail, and tell whether an entry was changed or is missing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opened, err := db.open(cmd.Context(), nil)
			if err != nil {
				return err
			}
			defer opened.Close()
			count, err := hosting.VerifyTrail(cmd.Context(), opened)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d entries, none changed and none missing\n", count)
			return err
		},
	})
	return cmd
}
