// Package main is the program kubepanel: the terminal's face, the operator and
// the gateway in one binary. It wires what the rooms below internal/ hold
// together; a rule never stands here.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"kubepanel.io/kubepanel/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once, whatever it is doing.
	context.AfterFunc(ctx, stop)
	return cli.Run(ctx, terminal(), os.Args[1:], newOperatorCommand(), newGatewayCommand())
}
