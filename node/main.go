// Command node turns a bare machine into a Kubernetes node with Kubepanel on it,
// and a computer's corner into such a machine. One file per verb: flags, wiring,
// run. What the verbs do lives in build, machine and phase.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/node/machine"
)

const defaultState = "/var/lib/kubepanel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(exitCode(err))
	}
}

// A wrong command line is told from a failure as sysexits(3) does.
var errUsage = errors.New("see --help")

func exitCode(err error) int {
	if errors.Is(err, errUsage) {
		return 64
	}
	return 1
}

// target is what every verb works on.
type target struct {
	name  string
	state string
}

func (t *target) machine() (machine.Machine, error) { return machine.New(t.name, t.state) }

// ownMachine is the machine for those who may touch it.
func (t *target) ownMachine() (machine.Machine, error) {
	if os.Geteuid() != 0 {
		return machine.Machine{}, errors.New("this needs root: run it with sudo, or as root")
	}
	return t.machine()
}

func command() *cobra.Command {
	var t target
	root := &cobra.Command{
		Use:           "node",
		Short:         "Turn a bare machine into a Kubernetes node with Kubepanel on it",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		Example: `  node up --demo        bring the platform up, with a demo site
  eval "$(node env)"    use kubectl, helm and kubepanel on it
  node status           tell how it is
  node down             stop it; sites stay on disk`,
	}
	state := os.Getenv("KUBEPANEL_STATE")
	if state == "" {
		state = defaultState
	}
	root.PersistentFlags().StringVar(&t.name, "machine", "main", "the machine's name; machines of different names live side by side")
	root.PersistentFlags().StringVar(&t.state, "state", state, "folder of all that is kept (environment: KUBEPANEL_STATE)")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w (%w)", err, errUsage) })
	root.AddCommand(
		upCommand(&t), downCommand(&t), purgeCommand(&t), envCommand(&t),
		statusCommand(&t), logsCommand(&t), buildCommand(&t),
		superviseCommand(), runMachineCommand(&t), machineInitCommand(&t),
	)
	return root
}
