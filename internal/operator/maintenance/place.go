package maintenance

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	scheduling "k8s.io/component-helpers/scheduling/corev1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// sorted are a node's pods by what becomes of them.
type sorted struct {
	// going are those that leave, in their order.
	going []*corev1.Pod
	// sites and others name those that stay, because no other node could take them.
	sites, others []string
}

// sort decides for each pod. Only a site is ever ended without another place for it:
// without the operator and the panel nobody would open the node again.
func (r *Reconciler) sort(ctx context.Context, m *v1alpha1.NodeMaintenance, pods []corev1.Pod) (sorted, error) {
	var s sorted
	nodes, err := r.openNodes(ctx, m.Name)
	if err != nil {
		return s, err
	}
	for i := range pods {
		p := &pods[i]
		goes := p.DeletionTimestamp != nil || isSite(p) && m.Spec.TakeDown
		if !goes {
			if goes, err = r.fitsElsewhere(ctx, p, nodes); err != nil {
				return s, err
			}
		}
		switch {
		case goes:
			s.going = append(s.going, p)
		case isSite(p):
			s.sites = append(s.sites, name(p))
		default:
			s.others = append(s.others, name(p))
		}
	}
	return s, nil
}

// openNodes are the other nodes that take pods.
func (r *Reconciler) openNodes(ctx context.Context, than string) ([]corev1.Node, error) {
	var list corev1.NodeList
	if err := r.Direct.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(n corev1.Node) bool {
		return n.Name == than || n.Spec.Unschedulable || !slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		})
	}), nil
}

// fitsElsewhere tells whether one of the nodes may take a pod, by its taints, by what
// the pod asks of a node, and by where its volumes can be. How much room a node has is
// the scheduler's business.
func (r *Reconciler) fitsElsewhere(ctx context.Context, p *corev1.Pod, nodes []corev1.Node) (bool, error) {
	log := ctrl.LoggerFrom(ctx)
	wanted := nodeaffinity.GetRequiredNodeAffinity(p)
	nodes = slices.DeleteFunc(slices.Clone(nodes), func(n corev1.Node) bool {
		_, kept := scheduling.FindMatchingUntoleratedTaint(log, n.Spec.Taints, p.Spec.Tolerations, refuses, false)
		match, err := wanted.Match(&n)
		return kept || !match || err != nil // a term that can't be read matches nothing, as in the scheduler
	})
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim == nil || len(nodes) == 0 {
			continue
		}
		volume, err := r.volume(ctx, p.Namespace, v.PersistentVolumeClaim.ClaimName)
		if err != nil {
			return false, err
		}
		if volume.Spec.NodeAffinity == nil || volume.Spec.NodeAffinity.Required == nil {
			continue
		}
		nodes = slices.DeleteFunc(nodes, func(n corev1.Node) bool {
			match, err := scheduling.MatchNodeSelectorTerms(&n, volume.Spec.NodeAffinity.Required)
			return !match || err != nil
		})
	}
	return len(nodes) > 0, nil
}

// refuses tells whether a taint keeps pods away.
func refuses(t *corev1.Taint) bool { return t.Effect != corev1.TaintEffectPreferNoSchedule }

// volume is what a claim is bound to; without one it may still be anywhere.
func (r *Reconciler) volume(ctx context.Context, namespace, claim string) (*corev1.PersistentVolume, error) {
	var c corev1.PersistentVolumeClaim
	if err := r.Direct.Get(ctx, client.ObjectKey{Namespace: namespace, Name: claim}, &c); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read claim %s/%s: %w", namespace, claim, err)
	}
	v := &corev1.PersistentVolume{}
	if c.Spec.VolumeName == "" {
		return v, nil
	}
	if err := r.Direct.Get(ctx, client.ObjectKey{Name: c.Spec.VolumeName}, v); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read volume %s: %w", c.Spec.VolumeName, err)
	}
	return v, nil
}
