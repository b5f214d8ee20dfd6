package rest

import (
	"context"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) nodes() {
	handle(s, operation{method: http.MethodGet, path: "/nodes", id: "listNodes", summary: "List the cluster's nodes", scope: hosting.RightPlatformView}, s.listNodes)
	handle(s, operation{method: http.MethodGet, path: "/nodes/{node}", id: "getNode", summary: "Show a node, and how far a drain of it is", scope: hosting.RightPlatformView}, s.getNode)
	handle(s, operation{method: http.MethodGet, path: "/nodes/{node}/pods", id: "listNodePods", summary: "List what runs on a node", scope: hosting.RightPlatformView}, s.listNodePods)
	handle(s, operation{method: http.MethodPut, path: "/nodes/{node}/maintenance", id: "closeNode", summary: "Close a node for new pods, and drain it", scope: hosting.RightPlatformChange, also: hosting.RightPlatformView,
		status: http.StatusAccepted, says: "To ask again changes what was asked. How far it is stands in getNode."}, s.closeNode)
	handle(s, operation{method: http.MethodDelete, path: "/nodes/{node}/maintenance", id: "openNode", summary: "Open a node again", scope: hosting.RightPlatformChange, also: hosting.RightPlatformView,
		status: http.StatusNoContent}, s.openNode)
}

// Node is one machine of the cluster.
type Node struct {
	Name           string       `json:"name"`
	Version        string       `json:"version"`
	Ready          bool         `json:"ready"`
	Message        string       `json:"message,omitempty" doc:"Why it is not ready, or under what pressure it is."`
	Closed         bool         `json:"closed" doc:"It takes no new pods."`
	UserNamespaces bool         `json:"userNamespaces" doc:"Its runtime can give a pod users of its own."`
	CPU            string       `json:"cpu" doc:"What its pods can have." example:"4"`
	Memory         string       `json:"memory" doc:"What its pods can have." example:"8Gi"`
	Maintenance    *Maintenance `json:"maintenance,omitempty" doc:"What was asked for it, through the panel."`
}

// Maintenance is what was asked for a node, and how far it is.
type Maintenance struct {
	MaintenanceWish

	Since   *time.Time `json:"since,omitempty"`
	Done    bool       `json:"done" doc:"It is as was asked: closed, and empty where it was to be drained."`
	Opening bool       `json:"opening" doc:"It is being opened again."`
	Message string     `json:"message,omitempty" doc:"What it waits for, or which pods stay because no other node could take them."`
	Pods    int32      `json:"pods" doc:"How many there were to move."`
	Left    *int32     `json:"left,omitempty" doc:"How many of them are still there; missing until that is known."`
}

// MaintenanceWish is what somebody wants of a node.
type MaintenanceWish struct {
	Drain    bool   `json:"drain,omitempty" doc:"Move its pods to other nodes. What none could take stays, such as a site whose volume is on the node's own disk."`
	TakeDown bool   `json:"takeDown,omitempty" doc:"With a drain: end the sites too that no other node could take. They do not answer until the node is open again."`
	Reason   string `json:"reason,omitempty" maxLength:"200" doc:"A note for people."`
}

func nodeOf(n *hosting.NodeState) Node {
	r := Node{Name: n.Name, Version: n.Version, Ready: n.Ready, Message: n.Message, Closed: n.Closed, UserNamespaces: n.UserNamespaces, CPU: n.CPU, Memory: n.Memory}
	if m := n.Maintenance; m != nil {
		r.Maintenance = &Maintenance{MaintenanceWish: MaintenanceWish{Drain: m.Spec.Drain, TakeDown: m.Spec.TakeDown, Reason: m.Spec.Reason}, Since: moment(m.CreationTimestamp.Time),
			Opening: m.DeletionTimestamp != nil, Pods: m.Status.Pods, Left: m.Status.PodsLeft}
		r.Maintenance.Done = n.Done()
		for _, c := range m.Status.Conditions {
			if (c.Status != metav1.ConditionTrue || c.Reason == v1alpha1.ReasonSomeStay) && c.Message != "" {
				r.Maintenance.Message = c.Message
				break
			}
		}
	}
	return r
}

// NodePath is an operation on one node.
type NodePath struct {
	Node string `path:"node" maxLength:"253" doc:"The node's name."`
}

func (s *Server) listNodes(ctx context.Context, a hosting.Actor, in *Paging) (*answer[List[Node]], error) {
	found, err := s.Rules.NodeStates(ctx, a)
	if err != nil {
		return nil, err
	}
	return paged(*in, found, func(n *hosting.NodeState) string { return n.Name }, nodeOf)
}

func (s *Server) getNode(ctx context.Context, a hosting.Actor, in *NodePath) (*versioned[Node], error) {
	found, err := s.Rules.NodeState(ctx, a, in.Node)
	if err != nil {
		return nil, err
	}
	return showNode(found), nil
}

func showNode(n *hosting.NodeState) *versioned[Node] { return versionedAs(n.WishVersion(), nodeOf(n)) }

// NodePod is a pod on a node.
type NodePod struct {
	Namespace string     `json:"namespace"`
	Name      string     `json:"name"`
	Site      string     `json:"site,omitempty" doc:"The site that it is; missing for others."`
	Running   bool       `json:"running"`
	Leaving   bool       `json:"leaving" doc:"It was sent away."`
	Since     *time.Time `json:"since,omitempty"`
}

func (s *Server) listNodePods(ctx context.Context, a hosting.Actor, in *struct {
	NodePath
	Paging
}) (*answer[List[NodePod]], error) {
	found, err := s.Rules.NodePods(ctx, a, in.Node)
	if err != nil {
		return nil, err
	}
	return paged(in.Paging, found, func(p *hosting.NodePod) string { return p.Namespace + "\n" + p.Name }, func(p *hosting.NodePod) NodePod {
		return NodePod{Namespace: p.Namespace, Name: p.Name, Site: p.Site, Running: p.Running, Leaving: p.Leaving, Since: moment(p.Since)}
	})
}

func (s *Server) closeNode(ctx context.Context, a hosting.Actor, in *struct {
	NodePath
	Condition
	Body MaintenanceWish
}) (*versioned[Node], error) {
	spec := v1alpha1.NodeMaintenanceSpec{Drain: in.Body.Drain, TakeDown: in.Body.TakeDown, Reason: in.Body.Reason}
	if err := s.Rules.If(in.version()).CloseNode(ctx, a, in.Node, spec); err != nil {
		return nil, err
	}
	found, err := s.Rules.NodeState(ctx, a, in.Node)
	if hosting.CodeOf(err) == hosting.Forbidden && err != nil { // the token may not look
		return &versioned[Node]{Body: Node{Name: in.Node, Closed: true, Maintenance: &Maintenance{MaintenanceWish: in.Body}}}, nil
	}
	if err != nil {
		return nil, err
	}
	return showNode(found), nil
}

func (s *Server) openNode(ctx context.Context, a hosting.Actor, in *struct {
	NodePath
	Condition
}) (*struct{}, error) {
	return nil, s.Rules.If(in.version()).OpenNode(ctx, a, in.Node)
}
