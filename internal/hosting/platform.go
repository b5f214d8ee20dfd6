package hosting

import (
	"context"
	"fmt"
	"strings"

	"kubepanel.io/kubepanel/api/platform"
)

// Platform is what hosting needs to know of the installation.
type Platform interface {
	// Settings returns the platform's settings, or NotInstalled.
	Settings(ctx context.Context) (*platform.Settings, error)
	// Secret returns the content of a Secret, or NotFound.
	Secret(ctx context.Context, namespace, name string) (map[string][]byte, error)
}

// Machinery is what the state of the platform is told from.
type Machinery interface {
	Nodes(ctx context.Context) ([]Node, error)
	// Workload returns NotFound when there is no such object.
	Workload(ctx context.Context, w WorkloadName) (Workload, error)
	// StorageClass returns the named class, or the default one for "".
	StorageClass(ctx context.Context, name string) (string, error)
	// Isolation returns what the operator found about network policies, NotFound before it tried.
	Isolation(ctx context.Context, namespace string) (verdict, message string, err error)
}

// Node is one machine of the cluster.
type Node struct {
	Name, Version string
	Ready         bool
	Message       string // why it is not ready, or under what pressure it is
	// UserNamespaces: its runtime can give a pod users of its own.
	UserNamespaces bool
	// Closed: it takes no new pods.
	Closed bool
	// CPU and Memory are what its pods can have, as Kubernetes writes amounts.
	CPU, Memory string
}

// WorkloadName says which Deployment, DaemonSet or StatefulSet is meant.
type WorkloadName struct{ Kind, Namespace, Name string }

// Workload is how many pods of a workload there should be and are, and what its
// worst pod says.
type Workload struct {
	Want, Ready int32
	Problem     string
}

// PartState is the state of one part of the platform.
type PartState struct {
	Name    string `json:"name"`
	Ready   bool   `json:"ready"`
	Message string `json:"message"`
	Mend    string `json:"mend,omitempty"`
}

// PlatformStatus tells how every part of the platform is, in the order in which
// they need each other. Its error is about the cluster as a whole; a part that
// can't be read is a part that is not ready.
func PlatformStatus(ctx context.Context, p Platform, m Machinery) ([]PartState, error) {
	nodes, err := m.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	parts := nodeStates(nodes)
	settings, err := p.Settings(ctx)
	if err != nil {
		return nil, err
	}
	parts = append(parts, PartState{Name: "settings", Ready: true,
		Message: fmt.Sprintf("sites answer at %s and run %s", settings.Edge.URL("NAME"), Names(settings))})
	parts = append(parts, storageState(ctx, m, settings.StorageClass))
	parts = append(parts, isolationState(ctx, m, settings), userNamespacesState(nodes, settings))
	for _, w := range []struct{ part, kind, name, mend string }{
		{"operator", "Deployment", "kubepanel-operator", "Sites are not created or changed meanwhile"},
		{"edge", "DaemonSet", "kubepanel-edge", "Visitors get no answer meanwhile"},
		{"database", "StatefulSet", "mariadb", "Sites with a database show errors meanwhile"},
	} {
		parts = append(parts, workloadState(ctx, m, w.part, w.mend,
			WorkloadName{Kind: w.kind, Namespace: settings.Namespace, Name: w.name}))
	}
	return append(parts, authorityState(ctx, p, settings.Namespace)), nil
}

// AllReady tells whether every part is.
func AllReady(parts []PartState) bool {
	for _, p := range parts {
		if !p.Ready {
			return false
		}
	}
	return true
}

func nodeStates(nodes []Node) []PartState {
	if len(nodes) == 0 {
		return []PartState{{Name: "node", Message: "the cluster has no node", Mend: "Join a node, or start this computer's with: make up"}}
	}
	parts := make([]PartState, 0, len(nodes))
	for _, n := range nodes {
		part := PartState{Name: "node " + n.Name, Ready: n.Ready, Message: "Kubernetes " + n.Version}
		if n.Message != "" {
			part.Message = n.Message
		}
		if !n.Ready {
			part.Mend = "Look at its kubelet: kubectl describe node " + n.Name
		}
		parts = append(parts, part)
	}
	return parts
}

func storageState(ctx context.Context, m Machinery, class string) PartState {
	found, err := m.StorageClass(ctx, class)
	switch {
	case err == nil:
		return PartState{Name: "storage", Ready: true, Message: "storage class " + found}
	case CodeOf(err) != NotFound:
		return unreadable("storage", err)
	case class == "":
		return PartState{Name: "storage", Message: "the cluster has no default storage class",
			Mend: "Mark one as default, or set storageClass in the chart's values"}
	}
	return PartState{Name: "storage", Message: fmt.Sprintf("there is no storage class %q", class),
		Mend: "Install it, or name another as storageClass in the chart's values"}
}

func workloadState(ctx context.Context, m Machinery, part, effect string, name WorkloadName) PartState {
	w, err := m.Workload(ctx, name)
	switch {
	case CodeOf(err) == NotFound && err != nil:
		return PartState{Name: part, Message: "it is not installed", Mend: effect + ". Install the chart again: make up"}
	case err != nil:
		return unreadable(part, err)
	case w.Want > 0 && w.Ready >= w.Want:
		return PartState{Name: part, Ready: true, Message: podCount(w)}
	case w.Want == 0:
		return PartState{Name: part, Message: "it has no pods, because it is scaled to zero or no node fits",
			Mend: fmt.Sprintf("%s. Look at: kubectl -n %s describe %s %s", effect, name.Namespace, strings.ToLower(name.Kind), name.Name)}
	}
	message := podCount(w)
	if w.Problem != "" {
		message += "; " + w.Problem
	}
	return PartState{Name: part, Message: message,
		Mend: fmt.Sprintf("%s. Look at: kubectl -n %s logs %s/%s", effect, name.Namespace, strings.ToLower(name.Kind), name.Name)}
}

func podCount(w Workload) string { return fmt.Sprintf("%d of %d pods ready", w.Ready, w.Want) }

func authorityState(ctx context.Context, p Platform, namespace string) PartState {
	if _, err := CACertificate(ctx, p, namespace); err != nil {
		if CodeOf(err) != NotFound {
			return unreadable("certificates", err)
		}
		return PartState{Name: "certificates", Message: "the platform's CA is not there yet",
			Mend: "The operator makes it at its start; see how the operator is"}
	}
	return PartState{Name: "certificates", Ready: true, Message: "the platform's CA is there; trust it with: kubepanel platform ca"}
}

func unreadable(part string, err error) PartState {
	state := PartState{Name: part, Message: "it can't be read: " + err.Error()}
	if CodeOf(err) == Forbidden {
		state.Mend = "Use an account that may read the platform's namespace"
	}
	return state
}

// CACertificate returns the certificate of the platform's CA as PEM, never its
// key.
func CACertificate(ctx context.Context, p Platform, namespace string) ([]byte, error) {
	content, err := p.Secret(ctx, namespace, platform.SecretCA)
	if err != nil && CodeOf(err) == NotFound {
		return nil, &Error{Code: NotFound, Message: "The platform's CA is not there yet.", Err: err,
			Mend: "The operator makes it at its start; see how it is with: kubepanel platform status"}
	}
	if err != nil {
		return nil, err
	}
	pem := content["tls.crt"]
	if len(pem) == 0 {
		return nil, &Error{Code: NotFound, Message: "The platform's CA has no certificate.",
			Mend: "Delete the Secret " + platform.SecretCA + " in " + namespace + " and restart the operator: it makes a new CA."}
	}
	return pem, nil
}
