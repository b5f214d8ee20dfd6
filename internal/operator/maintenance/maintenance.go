// Package maintenance makes NodeMaintenances real: it closes a node, moves its pods
// away and opens it again. It must never touch a pod but by an eviction, nor a node
// that no NodeMaintenance names.
package maintenance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/operator"
)

const (
	// lookAgain is how soon a drain that goes on is looked at: pods take some seconds to
	// end, and nothing here watches those that are not sites.
	lookAgain = 3 * time.Second
	// resync is how soon a node that somebody else opened is closed again.
	resync = time.Minute
	// atOnce bounds how many pods are sent away in one look, so that other nodes get
	// them one after another.
	atOnce = 20
)

// Reconciler does the steps.
type Reconciler struct {
	// Client writes; Direct reads nodes and pods past the cache, which has neither.
	Client client.Client
	Direct client.Reader
	// Namespace is the platform's own: its pods go last.
	Namespace string
}

// Setup adds the reconciler of NodeMaintenances to a manager.
func Setup(mgr ctrl.Manager, namespace string, metrics *operator.Metrics) error {
	r := &Reconciler{Client: mgr.GetClient(), Direct: mgr.GetAPIReader(), Namespace: namespace}
	loop := r.Loop()
	loop.Recorder, loop.Metrics = mgr.GetEventRecorder("kubepanel-operator"), metrics
	return ctrl.NewControllerManagedBy(mgr).Named("nodemaintenance").
		For(&v1alpha1.NodeMaintenance{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{NewQueue: operator.NewQuietQueue}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), loop))
}

// Loop is the steps as the operator runs them.
func (r *Reconciler) Loop() *operator.Loop[*v1alpha1.NodeMaintenance] {
	return &operator.Loop[*v1alpha1.NodeMaintenance]{
		Kind: "NodeMaintenance", Client: r.Client, Resync: resync,
		Steps: []operator.Step[*v1alpha1.NodeMaintenance]{
			{Condition: v1alpha1.ConditionNodeClosed, Do: r.closeNode},
			{Condition: v1alpha1.ConditionNodeDrained, After: []string{v1alpha1.ConditionNodeClosed}, Do: r.drain},
		},
		Finalizer: v1alpha1.FinalizerNodeMaintenance,
		Cleanup:   []operator.Step[*v1alpha1.NodeMaintenance]{{Condition: v1alpha1.ConditionNodeClosed, Do: r.openNode}},
	}
}

func (r *Reconciler) closeNode(ctx context.Context, m *v1alpha1.NodeMaintenance) error {
	err := r.schedule(ctx, m.Name, true)
	if apierrors.IsNotFound(err) {
		return operator.Stall("NoSuchNode", "The cluster has no node %s. Delete this NodeMaintenance, or give it the name of a node.", m.Name)
	}
	return err
}

// openNode ends it. A node that has left the cluster is nobody's business any more.
func (r *Reconciler) openNode(ctx context.Context, m *v1alpha1.NodeMaintenance) error {
	return client.IgnoreNotFound(r.schedule(ctx, m.Name, false))
}

// schedule says whether a node takes no new pods.
func (r *Reconciler) schedule(ctx context.Context, name string, closed bool) error {
	var node corev1.Node
	if err := r.Direct.Get(ctx, client.ObjectKey{Name: name}, &node); err != nil {
		return err
	}
	if node.Spec.Unschedulable == closed {
		return nil
	}
	before := node.DeepCopy()
	node.Spec.Unschedulable = closed
	// Nobody reads nodes from the cache; to wait for this write there would begin one of them all.
	return r.Client.Patch(ctx, &node, client.MergeFrom(before), client.DisableReadYourWritesConsistency)
}

// drain sends the node's pods away and tells how many are left.
func (r *Reconciler) drain(ctx context.Context, m *v1alpha1.NodeMaintenance) error {
	if !m.Spec.Drain {
		m.Status.Pods, m.Status.PodsLeft = 0, nil
		return operator.Done("NotAsked", "The node's pods stay.")
	}
	all, err := r.movable(ctx, m.Name)
	if err != nil {
		return err
	}
	pods, err := r.sort(ctx, m, all)
	if err != nil {
		return err
	}
	left := int32(len(pods.going) + len(pods.sites)) // kubelet takes 110
	m.Status.Pods, m.Status.PodsLeft = max(m.Status.Pods, left), &left
	held, err := r.evict(ctx, pods.going)
	switch {
	case err != nil:
		return err
	case len(held) > 0:
		return operator.Wait(lookAgain, "Held", "%d pods are left; a disruption budget holds %s. They go as soon as it allows.", left, some(held))
	case len(pods.going) > 0:
		return operator.Wait(lookAgain, "Draining", "%d of %d pods are left.", left, m.Status.Pods)
	case len(pods.sites) > 0:
		return operator.Trouble(resync, v1alpha1.ReasonNoOtherNode, "No other node could take these sites, so they stay and answer: %s. "+
			"Add a node that can, or set takeDown to end them until this node is open again.", some(pods.sites))
	case len(pods.others) > 0:
		return operator.Done(v1alpha1.ReasonSomeStay, "No other node could take these pods, so they stay until the node is turned off: %s.", some(pods.others))
	}
	return nil
}

// movable are the pods that have to leave a node: not those that a DaemonSet or kubelet
// itself would put there again, nor those that have ended. Sites come first and the
// platform's own pods last: the operator is among them.
func (r *Reconciler) movable(ctx context.Context, node string) ([]corev1.Pod, error) {
	var list corev1.PodList
	if err := r.Direct.List(ctx, &list, client.MatchingFields{"spec.nodeName": node}); err != nil {
		return nil, fmt.Errorf("list the pods of node %s: %w", node, err)
	}
	pods := slices.DeleteFunc(list.Items, func(p corev1.Pod) bool {
		_, mirror := p.Annotations[corev1.MirrorPodAnnotationKey]
		owner := metav1.GetControllerOfNoCopy(&p)
		return mirror || owner != nil && owner.Kind == "DaemonSet" || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	})
	slices.SortStableFunc(pods, func(a, b corev1.Pod) int { return r.rank(&a) - r.rank(&b) })
	return pods, nil
}

func (r *Reconciler) rank(p *corev1.Pod) int {
	switch {
	case isSite(p):
		return 0
	case p.Namespace != r.Namespace:
		return 1
	}
	return 2
}

// isSite tells whether a pod is a site's, or a run of a cron job of one.
func isSite(p *corev1.Pod) bool {
	return p.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy && p.Labels[v1alpha1.LabelDomain] != ""
}

// evict sends pods away that are not on their way already, the first of the list
// first, and returns those that a disruption budget holds.
func (r *Reconciler) evict(ctx context.Context, pods []*corev1.Pod) (held []string, err error) {
	sent := 0
	for _, p := range pods {
		if p.DeletionTimestamp != nil {
			continue
		}
		if sent++; sent > atOnce || r.rank(p) > r.rank(pods[0]) { // one rank after the other
			return held, nil
		}
		err := r.Client.SubResource("eviction").Create(ctx, p, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace}})
		switch {
		case apierrors.IsTooManyRequests(err): // the API server's answer for a budget (Kubernetes documentation, API-initiated eviction)
			held = append(held, name(p))
		case client.IgnoreNotFound(err) != nil:
			return held, fmt.Errorf("evict pod %s: %w", name(p), err)
		}
	}
	return held, nil
}

func name(p *corev1.Pod) string { return p.Namespace + "/" + p.Name }

// some names a few pods of many.
func some(names []string) string {
	const few = 5
	if len(names) > few {
		return strings.Join(names[:few], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
