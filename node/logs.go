package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/node/phase"
)

func logsCommand(t *target) *cobra.Command {
	var lines int
	var diagnose bool
	command := &cobra.Command{
		Use:   "logs [COMPONENT]",
		Short: "Print a component's last log lines, or what to look at when something is wrong",
		Example: `  node logs                  the components that have logs
  node logs kubelet          its last lines
  node logs --diagnose       pods in trouble, warnings, last lines of what matters`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			m, err := t.ownMachine()
			if err != nil {
				return err
			}
			out := command.OutOrStdout()
			if diagnose {
				return phase.Diagnose(command.Context(), m, out)
			}
			files, err := phase.LogFiles(m)
			if err != nil {
				return err
			}
			names := slices.Sorted(maps.Keys(files))
			if len(args) == 0 {
				fmt.Fprintln(out, strings.Join(names, "\n"))
				return nil
			}
			file, ok := files[args[0]]
			if !ok {
				return fmt.Errorf("no logs of %q on machine %s; there are: %s", args[0], m.Name, strings.Join(names, ", "))
			}
			return phase.Tail(out, file, lines)
		},
	}
	command.Flags().IntVarP(&lines, "lines", "n", 50, "how many lines")
	command.Flags().BoolVar(&diagnose, "diagnose", false, "print what a person would look at next")
	return command
}
