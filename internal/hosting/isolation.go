package hosting

import (
	"context"
	"strings"

	"kubepanel.io/kubepanel/api/platform"
)

// isolationState tells whether sites are walled off from each other, as the operator
// saw it when it tried last.
func isolationState(ctx context.Context, m Machinery, settings *platform.Settings) PartState {
	const part = "network policies"
	verdict, message, err := m.Isolation(ctx, settings.Namespace)
	switch {
	case err != nil && CodeOf(err) != NotFound:
		return unreadable(part, err)
	case verdict == platform.PoliciesEnforced:
		return PartState{Name: part, Ready: true, Message: "enforced. " + message}
	case !settings.Isolation.RequireNetworkPolicy:
		return PartState{Name: part, Ready: true, Message: strings.TrimSpace("not required (isolation.requireNetworkPolicy is false). " + message)}
	case verdict == platform.PoliciesNotEnforced:
		return PartState{Name: part, Message: message,
			Mend: "No new site is made. Install a network plug-in that enforces NetworkPolicies, or set isolation.requireNetworkPolicy to false in the chart's values"}
	}
	return PartState{Name: part, Message: "the operator has not been able to try them yet",
		Mend: "No new site is made until it has; see how operator and edge are"}
}

// userNamespacesState names the nodes that can't run a pod in a user namespace: with
// the setting on, sites' pods don't start there.
func userNamespacesState(nodes []Node, settings *platform.Settings) PartState {
	const part = "user namespaces"
	var lacking []string
	for _, n := range nodes {
		if !n.UserNamespaces {
			lacking = append(lacking, n.Name)
		}
	}
	switch {
	case !settings.UserNamespaces:
		return PartState{Name: part, Ready: true, Message: "not used (userNamespaces is false): root in a container would be root of the node"}
	case len(lacking) == 0:
		return PartState{Name: part, Ready: true, Message: "every node's runtime has them"}
	}
	return PartState{Name: part, Message: "the container runtime lacks them on " + strings.Join(lacking, ", "),
		Mend: "Sites' pods don't start there. Bring containerd to 2.0 or newer and the kernel to 6.3 or newer, or set userNamespaces to false in the chart's values"}
}
