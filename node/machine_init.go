package main

import "github.com/spf13/cobra"

// machineInitCommand is the first process inside a machine; run-machine starts it.
func machineInitCommand(t *target) *cobra.Command {
	return &cobra.Command{
		Use:    "machine-init",
		Short:  "Become a machine's first process (started by 'node run-machine')",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			m, err := t.ownMachine()
			if err != nil {
				return err
			}
			return m.Boot(command.Context())
		},
	}
}
