package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/node/machine"
	"kubepanel.io/kubepanel/node/phase"
)

func upCommand(t *target) *cobra.Command {
	var options phase.Options
	var scanner bool
	command := &cobra.Command{
		Use:   "up",
		Short: "Bring the node and the platform up, or repair them; run it as often as you like",
		Example: `  node up --demo                 everything, and a first site
  node up --node-only            a Kubernetes node without the platform
  node up --machine second       another one beside it
  node up --host                 this server itself is the node (needs systemd)`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("scanner") {
				options.Scanner = &scanner
			}
			m, err := t.machine()
			if err != nil {
				return err
			}
			out := command.OutOrStdout()
			// Before the lock, which only root may take.
			if err := preflight(command.Context(), m, options, out); err != nil {
				return err
			}
			lock, err := m.Lock(command.Context(), command.ErrOrStderr())
			if err != nil {
				return err
			}
			defer lock.Close()
			node, err := phase.New(m, lock, options, out)
			if err != nil {
				return err
			}
			if err := node.Up(command.Context()); err != nil {
				return err
			}
			return node.Farewell(command.Context())
		},
	}
	command.Flags().BoolVar(&options.NodeOnly, "node-only", false, "end with a Ready node, without the platform")
	command.Flags().BoolVar(&options.Host, "host", false, "make this computer itself the node, under systemd, instead of a machine of namespaces")
	command.Flags().StringVar(&options.PoolDevice, "pool-device", "", "empty disk, partition or logical volume for sites' volumes, instead of a file (first run only)")
	command.Flags().IntVar(&options.PoolGiB, "pool-size", 0, "most that the file for sites' volumes may grow to, in GiB (default: as far as the disk has room)")
	command.Flags().BoolVar(&scanner, "scanner", false, "have uploads looked at by ClamAV, which takes 1.3 GB of memory (default: as chosen before)")
	command.Flags().BoolVar(&options.Demo, "demo", false, "make a demo site if none was ever made here")
	return command
}

func preflight(ctx context.Context, m machine.Machine, options phase.Options, out io.Writer) error {
	node, err := phase.New(m, nil, options, out)
	if err != nil {
		return err
	}
	_, err = node.Preflight(ctx)
	return err
}
