package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func downCommand(t *target) *cobra.Command {
	return &cobra.Command{
		Use:     "down",
		Short:   "Stop the machine and leave nothing of it but its disk",
		Example: "  node down\n  node down --machine lab",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			m, err := t.machine()
			if err != nil {
				return err
			}
			lock, err := m.Lock(command.Context(), command.ErrOrStderr())
			if err != nil {
				return err
			}
			defer lock.Close()
			if err := m.Stop(command.Context()); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "machine %s is down; its sites are kept in %s\n", m.Name, m.Disk())
			return nil
		},
	}
}
