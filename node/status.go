package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/node/phase"
)

func statusCommand(t *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:     "status",
		Short:   "Tell how the machine, its node and the platform are",
		Example: "  node status\n  node status --output json",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("--output %s: text or json (%w)", output, errUsage)
			}
			m, err := t.ownMachine()
			if err != nil {
				return err
			}
			status, err := phase.Look(command.Context(), m)
			if err != nil {
				return err
			}
			if output == "text" {
				fmt.Fprint(command.OutOrStdout(), status)
				return nil
			}
			encoder := json.NewEncoder(command.OutOrStdout())
			encoder.SetIndent("", "  ")
			return encoder.Encode(status)
		},
	}
	command.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return command
}
