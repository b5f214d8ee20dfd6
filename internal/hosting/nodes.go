package hosting

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// NodeKeeper is what the panel sees of nodes, and how it asks the operator to close one.
type NodeKeeper interface {
	Nodes(ctx context.Context) ([]Node, error)
	// NodePods returns the pods on a node, ordered by namespace and name.
	NodePods(ctx context.Context, node string) ([]NodePod, error)
	Maintenances(ctx context.Context) ([]v1alpha1.NodeMaintenance, error)
	// PutMaintenance makes one, or gives the one of its name another spec.
	PutMaintenance(ctx context.Context, m *v1alpha1.NodeMaintenance) error
	// DeleteMaintenance returns NotFound when there is none.
	DeleteMaintenance(ctx context.Context, name string) error
}

// NodePod is a pod on a node.
type NodePod struct {
	Namespace, Name string
	Site            string // the domain name of the site that it is; "" for others
	Running         bool
	Leaving         bool // it was sent away
	Since           time.Time
}

// NodeState is a node and what was asked for it.
type NodeState struct {
	Node

	// Maintenance is nil while nothing is.
	Maintenance *v1alpha1.NodeMaintenance
}

// Done tells whether all that was asked for the node is so.
func (n NodeState) Done() bool {
	m := n.Maintenance
	return m != nil && m.DeletionTimestamp.IsZero() && m.Status.ObservedGeneration == m.Generation && meta.IsStatusConditionTrue(m.Status.Conditions, v1alpha1.ConditionReady)
}

// NodeStates returns all nodes, for administrators.
func (p *Provider) NodeStates(ctx context.Context, a Actor) ([]NodeState, error) {
	if err := May(a, RightPlatformView, Object{}); err != nil {
		return nil, err
	}
	nodes, err := p.Nodes.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := p.Nodes.Maintenances(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]NodeState, 0, len(nodes))
	for _, n := range nodes {
		s := NodeState{Node: n}
		if i := slices.IndexFunc(asked, func(m v1alpha1.NodeMaintenance) bool { return m.Name == n.Name }); i >= 0 {
			s.Maintenance = &asked[i]
		}
		states = append(states, s)
	}
	return states, nil
}

// NodeState returns one node.
func (p *Provider) NodeState(ctx context.Context, a Actor, name string) (*NodeState, error) {
	states, err := p.NodeStates(ctx, a)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(states, func(s NodeState) bool { return s.Name == name })
	if i < 0 {
		return nil, &Error{Code: NotFound, Message: fmt.Sprintf("The cluster has no node %s.", name), Mend: "See which there are with: kubectl get nodes"}
	}
	return &states[i], nil
}

// NodePods returns what runs on a node.
func (p *Provider) NodePods(ctx context.Context, a Actor, name string) ([]NodePod, error) {
	if _, err := p.NodeState(ctx, a, name); err != nil {
		return nil, err
	}
	return p.Nodes.NodePods(ctx, name)
}

// maxReason is what the API server takes for a note, in characters.
const maxReason = 255

// CloseNode has the operator close a node for new pods and, with drain, move away those
// that are there. To ask again changes what was asked.
func (p *Provider) CloseNode(ctx context.Context, a Actor, name string, spec v1alpha1.NodeMaintenanceSpec) error {
	if spec.Reason = strings.TrimSpace(spec.Reason); !oneLine(spec.Reason, maxReason) {
		return invalidField("reason", fmt.Sprintf("The reason must be one line of at most %d characters; shorten it.", maxReason), nil)
	}
	if err := p.careFor(ctx, a, name, change{did: RightPlatformChange, object: "node " + name, after: spec}); err != nil {
		return err
	}
	m := &v1alpha1.NodeMaintenance{Spec: spec}
	m.Name = name
	return p.Nodes.PutMaintenance(ctx, m)
}

// OpenNode ends it.
func (p *Provider) OpenNode(ctx context.Context, a Actor, name string) error {
	if err := p.careFor(ctx, a, name, change{did: RightPlatformChange, object: "node " + name, after: "open"}); err != nil {
		return err
	}
	err := p.Nodes.DeleteMaintenance(ctx, name)
	if err != nil && CodeOf(err) == NotFound {
		return &Error{Code: Conflict, Message: fmt.Sprintf("The node %s was not closed here.", name), Mend: "Open it with: kubectl uncordon " + name}
	}
	return err
}

// careFor asks May, finds the node and notes what is going to be asked.
func (p *Provider) careFor(ctx context.Context, a Actor, name string, c change) error {
	if err := May(a, RightPlatformChange, Object{}); err != nil {
		return err
	}
	state, err := p.NodeState(ctx, a, name)
	if err != nil {
		return err
	}
	if err := p.expected(state.WishVersion()); err != nil {
		return err
	}
	return p.write(ctx, a, func(Tx) (change, error) { return c, nil })
}
