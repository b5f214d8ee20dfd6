package watch

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"

	"kubepanel.io/kubepanel/internal/edge/route"
)

// notices tells owners of Ingresses, by Events, what the edge could not do.
type notices struct {
	recorder events.EventRecorder
	cluster  *Cluster
}

func newNotices(ctx context.Context, c *Cluster) (*notices, func()) {
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: c.Client.EventsV1()})
	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
		// Without events the edge serves all the same.
		c.Log.Warn("start recording events", "error", err)
	}
	return &notices{recorder: broadcaster.NewRecorder(scheme.Scheme, route.Controller), cluster: c}, broadcaster.Shutdown
}

func (n *notices) hostTaken(r route.Rejection) {
	n.cluster.Log.Info("a host is claimed twice; the older Ingress has it",
		"host", r.Host, "ingress", r.Ingress.String(), "winner", r.Winner.String())
	// The winner may be another tenant's: its name is not for this one to know.
	note := "The host %s belongs to an older Ingress of another namespace; this one does not get it."
	if r.Winner.Namespace == r.Ingress.Namespace {
		note = "The host %s belongs to the older Ingress " + r.Winner.Name + "; this one does not get it."
	}
	n.recorder.Eventf(reference(r.Ingress, r.UID), nil, corev1.EventTypeWarning, "HostTaken", "Route", note, r.Host)
}

func reference(name types.NamespacedName, uid types.UID) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: "networking.k8s.io/v1", Kind: "Ingress",
		Namespace: name.Namespace, Name: name.Name, UID: uid,
	}
}
