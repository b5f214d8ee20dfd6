package main

import (
	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/node/phase"
)

func upCommand(t *target) *cobra.Command {
	var options phase.Options
	command := &cobra.Command{
		Use:   "up",
		Short: "Bring the node and the platform up, or repair them; run it as often as you like",
		Example: `  node up --demo                 everything, and a first site
  node up --node-only            a Kubernetes node without the platform
  node up --machine second       another one beside it`,
		Args: cobra.NoArgs,
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
			node := phase.New(m, lock, options, command.OutOrStdout())
			if err := node.Up(command.Context()); err != nil {
				return err
			}
			return node.Farewell(command.Context())
		},
	}
	command.Flags().BoolVar(&options.NodeOnly, "node-only", false, "end with a Ready node, without the platform")
	command.Flags().BoolVar(&options.Demo, "demo", false, "make a demo site if none was ever made here")
	return command
}
