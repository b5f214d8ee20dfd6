package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/hosting"
)

func newPlatformStatus(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Tell how nodes, storage, operator, edge and database are",
		Long:    "Tell how every part of the platform is and what mends it. The exit code is 1 when one is not ready.",
		Example: "  kubepanel platform status\n  kubepanel platform status --output json",
		Args:    nothing,
		RunE:    func(cmd *cobra.Command, _ []string) error { return platformStatus(cmd.Context(), env) },
	}
	env.addOutput(cmd)
	return cmd
}

// platformState is the answer for programs.
type platformState struct {
	Ready bool                `json:"ready"`
	Parts []hosting.PartState `json:"parts"`
}

func platformStatus(ctx context.Context, env *Env) error {
	cluster, _, err := env.open()
	if err != nil {
		return err
	}
	parts, err := hosting.PlatformStatus(ctx, cluster, cluster)
	if err != nil {
		return err
	}
	state := platformState{Ready: hosting.AllReady(parts), Parts: parts}
	if env.structured() {
		err = env.printStructured(state)
	} else {
		err = table(env.Out, partRows(parts))
	}
	if err != nil || state.Ready {
		return err
	}
	return &hosting.Error{Code: hosting.Stalled, Message: "The platform is not ready.",
		Mend: "Begin with the first part that is not: later ones may only wait for it."}
}

func partRows(parts []hosting.PartState) [][]string {
	rows := make([][]string, 0, len(parts))
	for _, p := range parts {
		sign := mark(hosting.StateDone)
		if !p.Ready {
			sign = mark(hosting.StateStalled)
		}
		rows = append(rows, []string{fmt.Sprintf("%s %s", sign, clean(p.Name)), clean(p.Message)})
		if p.Mend != "" {
			rows = append(rows, []string{"", "→ " + clean(p.Mend)})
		}
	}
	return rows
}
