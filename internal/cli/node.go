package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/client"
	"kubepanel.io/kubepanel/internal/hosting"
)

// askAgain is how often a panel is asked how far something is.
const askAgain = time.Second

func newNode(env *Env) *cobra.Command {
	return group("node", "Nodes of a panel's cluster", "  kubepanel node list\n  kubepanel node drain worker-1 --wait",
		newNodeList(env), newNodeShow(env), newNodeClose(env, false), newNodeClose(env, true), newNodeOpen(env))
}

// nodeWord is a node's state in a word.
func nodeWord(n *client.Node) string {
	m := n.Maintenance
	switch {
	case m != nil && m.Opening:
		return "being opened"
	case m != nil && value(m.Drain) && !m.Done:
		return "being drained" + left(m)
	case m != nil && value(m.Drain):
		return "drained"
	case n.Closed || m != nil:
		return "closed"
	case n.Ready:
		return "ready"
	}
	return "not ready"
}

// left tells how many pods are still to move.
func left(m *client.Maintenance) string {
	if m.Left == nil {
		return ""
	}
	return fmt.Sprintf(", %d of %d pods left", *m.Left, m.Pods)
}

func newNodeList(env *Env) *cobra.Command {
	return env.of(&cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List the nodes", Example: "  kubepanel node list"},
		func(ctx context.Context, api *client.ClientWithResponses) error {
			all, err := allNodes(ctx, api)
			if err != nil {
				return err
			}
			rows := make([][]string, 0, len(all))
			for i := range all {
				n := &all[i]
				rows = append(rows, []string{clean(n.Name), nodeWord(n), clean(n.Version), clean(n.CPU), clean(n.Memory), clean(value(n.Message))})
			}
			return env.rows(all, []string{"NAME", "STATE", "VERSION", "CPU", "MEMORY", "MESSAGE"}, rows)
		})
}

func nodeOf(ctx context.Context, api *client.ClientWithResponses, name string) (*client.Node, error) {
	found, err := api.GetNodeWithResponse(ctx, name)
	if err != nil {
		return nil, err
	}
	return found.JSON200, client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault)
}

func newNodeShow(env *Env) *cobra.Command {
	return env.about("the node's name", &cobra.Command{Use: "show NAME", Short: "Show a node and the pods on it", Example: "  kubepanel node show worker-1"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			n, err := nodeOf(ctx, api, name)
			if err != nil {
				return err
			}
			pods, err := allNodePods(ctx, api, name)
			if err != nil {
				return err
			}
			if env.structured() {
				return env.printStructured(map[string]any{"node": n, "pods": pods})
			}
			env.say("%s: %s", clean(n.Name), nodeWord(n))
			if m := n.Maintenance; m != nil && value(m.Message) != "" {
				env.say("  %s", clean(*m.Message))
			}
			rows := [][]string{{"NAMESPACE", "POD", "SITE", "STATE"}}
			for _, p := range pods {
				state := map[bool]string{true: "running", false: "not running"}[p.Running]
				if p.Leaving {
					state = "leaving"
				}
				rows = append(rows, []string{clean(p.Namespace), clean(p.Name), text(p.Site), state})
			}
			return table(env.Out, rows)
		})
}

func newNodeClose(env *Env, drain bool) *cobra.Command {
	var reason string
	var wait bool
	var timeout time.Duration
	use, short, said := "cordon", "Close a node for new pods; those that are there stay", "%s takes no new pods."
	long := ""
	if drain {
		use, short, said = "drain", "Close a node and move its pods to other nodes", "%s is being drained. See how far it is with: kubepanel node show %[1]s"
		long = "Close a node and move its pods to other nodes. A pod whose volume is on the node's own disk\nwaits until the node is open again."
	}
	cmd := env.about("the node's name", &cobra.Command{Use: use + " NAME", Short: short, Long: long, Example: "  kubepanel node " + use + " worker-1 --reason \"a new disk\""},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			closed, err := api.CloseNodeWithResponse(ctx, name, nil, client.MaintenanceWish{Drain: &drain, Reason: optional(reason)})
			if err != nil {
				return err
			}
			if err := client.Check(closed.StatusCode(), closed.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			if !wait {
				return env.done(closed.JSON202, said, clean(name))
			}
			n, err := env.untilClosed(ctx, api, name, timeout)
			if err != nil {
				return err
			}
			return env.done(n, "%s is %s.", clean(name), nodeWord(n))
		})
	cmd.Flags().StringVar(&reason, "reason", "", "a `note` for people")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until it is so")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "longest `time` to wait with --wait")
	return cmd
}

// untilClosed waits until what was asked for a node is so, and tells each news on the
// error output.
func (e *Env) untilClosed(ctx context.Context, api *client.ClientWithResponses, name string, timeout time.Duration) (*client.Node, error) {
	ctx, stop := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer stop()
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	said := ""
	for {
		n, err := nodeOf(ctx, api, name)
		if err != nil && ctx.Err() == nil {
			return nil, err
		}
		if err == nil {
			if n.Maintenance != nil && n.Maintenance.Done {
				return n, nil
			}
			if news := nodeWord(n); news != said {
				said = news
				fmt.Fprintf(e.Err, "%s is %s.\n", clean(name), news) // a person waits
			}
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		again := "See how far it is with: kubepanel node show " + name
		if errors.Is(context.Cause(ctx), errTimeout) {
			return nil, &hosting.Error{Code: hosting.Timeout, Message: fmt.Sprintf("%s is not done after %s.", name, timeout), Mend: again}
		}
		return nil, &hosting.Error{Code: hosting.Interrupted, Message: "Stopped looking. It goes on.", Mend: again, Err: context.Cause(ctx)}
	}
}

func newNodeOpen(env *Env) *cobra.Command {
	return env.about("the node's name", &cobra.Command{Use: "uncordon NAME", Short: "Open a node that was closed or drained", Example: "  kubepanel node uncordon worker-1"},
		func(ctx context.Context, api *client.ClientWithResponses, name string) error {
			opened, err := api.OpenNodeWithResponse(ctx, name, nil)
			if err != nil {
				return err
			}
			if err := client.Check(opened.StatusCode(), opened.ApplicationProblemJSONDefault); err != nil {
				return err
			}
			return env.done(map[string]string{"opened": name}, "%s takes new pods again.", clean(name))
		})
}

func allNodes(ctx context.Context, api *client.ClientWithResponses) ([]client.Node, error) {
	return everyPage(func(cursor *string, most *int64) ([]client.Node, *string, error) {
		found, err := api.ListNodesWithResponse(ctx, &client.ListNodesParams{Cursor: cursor, Limit: most})
		if err != nil {
			return nil, nil, err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return nil, nil, err
		}
		return found.JSON200.Items, found.JSON200.Next, nil
	})
}

func allNodePods(ctx context.Context, api *client.ClientWithResponses, node string) ([]client.NodePod, error) {
	return everyPage(func(cursor *string, most *int64) ([]client.NodePod, *string, error) {
		found, err := api.ListNodePodsWithResponse(ctx, node, &client.ListNodePodsParams{Cursor: cursor, Limit: most})
		if err != nil {
			return nil, nil, err
		}
		if err := client.Check(found.StatusCode(), found.ApplicationProblemJSONDefault); err != nil {
			return nil, nil, err
		}
		return found.JSON200.Items, found.JSON200.Next, nil
	})
}
