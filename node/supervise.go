package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/node/machine/supervise"
)

func superviseCommand() *cobra.Command {
	var config string
	command := &cobra.Command{
		Use:   "supervise",
		Short: "Keep containerd and kubelet running (what systemd, or a machine, starts)",
		Example: `  node supervise --config /var/lib/kubepanel/machines/main/supervise.json
  kill -HUP PID     read the list of programs again`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			log := slog.New(slog.NewTextHandler(os.Stderr, nil))
			return supervise.New(config, log).Run(command.Context())
		},
	}
	command.Flags().StringVar(&config, "config", "", "the list of programs, written by 'node up'")
	_ = command.MarkFlagRequired("config")
	return command
}
