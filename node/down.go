package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/node/phase"
)

func downCommand(t *target) *cobra.Command {
	return &cobra.Command{
		Use:     "down",
		Short:   "Stop the machine and leave nothing of it but its disk",
		Example: "  node down\n  node down --machine lab",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			m, err := t.ownMachine()
			if err != nil {
				return err
			}
			if _, err := os.Stat(m.Dir()); errors.Is(err, os.ErrNotExist) {
				fmt.Fprintf(command.OutOrStdout(), "machine %s is not there\n", m.Name)
				return nil
			}
			lock, err := m.Lock(command.Context(), command.ErrOrStderr())
			if err != nil {
				return err
			}
			defer lock.Close()
			settings, _, err := m.Settings()
			if err != nil {
				return err
			}
			place := phase.PlaceOf(m, settings)
			if err := place.Stop(command.Context()); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "machine %s is down; its sites stay on disk\n", m.Name)
			return nil
		},
	}
}
