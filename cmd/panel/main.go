// Package main is the program panel: the web interface of the platform. It stands
// apart from kubepanel, so that its database and its pages cost the operator no
// memory. It wires; a rule never stands here.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once, whatever it is doing.
	context.AfterFunc(ctx, stop)
	cmd := newCommand()
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}

func newCommand() *cobra.Command {
	var db database
	cmd := &cobra.Command{
		Use:   "panel",
		Short: "The web interface of the platform",
		// What went wrong is told once, without how the program is called.
		SilenceErrors: true, SilenceUsage: true,
	}
	db.addFlags(cmd.PersistentFlags())
	cmd.AddCommand(newServe(&db), newLink(&db), newToken(&db), newOpenAPI(), newAudit(&db), newBackup(&db), newRestore(&db), newRotate(&db))
	return cmd
}
