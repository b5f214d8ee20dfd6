package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"
)

// readyFD is where 'up', which starts this, waits for a word.
const readyFD = 3

// runMachineCommand is the outside process of a machine; 'up' starts it.
func runMachineCommand(t *target) *cobra.Command {
	return &cobra.Command{
		Use:    "run-machine",
		Short:  "Run a machine until told to stop (started by 'node up')",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			m, err := t.ownMachine()
			if err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(os.Stderr, nil))
			return m.Serve(command.Context(), os.NewFile(readyFD, "ready"), log)
		},
	}
}
