package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func envCommand(t *target) *cobra.Command {
	return &cobra.Command{
		Use:     "env",
		Short:   "Print the lines that give a shell this machine's tools",
		Example: `  eval "$(node env)"` + "\n" + `  eval "$(node env --machine lab)"`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			m, err := t.ownMachine()
			if err != nil {
				return err
			}
			if _, err := os.Stat(m.Kubeconfig()); err != nil {
				return fmt.Errorf("machine %s has no cluster yet: run 'node up --machine %s' first", m.Name, m.Name)
			}
			out := command.OutOrStdout()
			fmt.Fprintf(out, "export KUBECONFIG=%s\n", quote(m.Kubeconfig()))
			fmt.Fprintf(out, "export PATH=%s:\"$PATH\"\n", quote(m.Tools()))
			return nil
		},
	}
}

// quote makes one word of a shell's, whatever is in it.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
