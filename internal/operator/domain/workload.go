package domain

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// workload keeps the pod that serves the site.
func (r *Reconciler) workload(ctx context.Context, d *v1alpha1.Domain) error {
	live := &appsv1.Deployment{ObjectMeta: inSite(d, desired.ObjectName(d.Spec.DomainName))}
	err := ensure(ctx, r, d, &live, func() (*appsv1.Deployment, error) {
		want, err := r.site(d).Workload()
		if err != nil {
			return nil, operator.Stall("InvalidSpec", "%s.", err)
		}
		return want, nil
	})
	if err != nil {
		return err
	}
	d.Status.RestartedAt = d.Annotations[v1alpha1.AnnotationRestartedAt]
	if d.Spec.Suspended {
		if n := live.Status.Replicas; n > 0 || live.Status.ObservedGeneration < live.Generation {
			return operator.Wait(recheck, "Suspending", "The site's pod is ending.")
		}
		return operator.Pause("Suspended", "The site is suspended: visitors get the provider's page. Set spec.suspended to false to bring it back.")
	}
	if serves(live) {
		return nil
	}
	pods, err := r.pods(ctx, d)
	if err != nil {
		return err
	}
	return r.explain(ctx, d, live, pods)
}

// serves tells whether a pod of the newest template is ready, and no older one
// stands in for it.
func serves(w *appsv1.Deployment) bool {
	s := w.Status
	return s.ObservedGeneration >= w.Generation && s.UpdatedReplicas >= 1 &&
		s.AvailableReplicas >= 1 && s.Replicas == s.UpdatedReplicas
}

// explain says why no pod serves, in the words of whoever knows.
func (r *Reconciler) explain(ctx context.Context, d *v1alpha1.Domain, w *appsv1.Deployment, pods []*corev1.Pod) error {
	f := diagnose(w, pods)
	pod := newest(pods)
	switch {
	case f.reason == reasonNoNode && r.roomless(ctx, d):
		return operator.Wait(recheck, "WaitsForVolume", "The pod waits for the site's volume, which there is no room for.")
	case f.reason == reasonNoNode:
		return operator.Trouble(recheck, f.reason, "%s Free or add capacity, or lower spec.resources.requests.", f.message+r.nodesTrouble(ctx))
	case f.trouble:
		return operator.Trouble(recheck, f.reason, "%s", f.message)
	case pod == nil:
		return operator.Wait(recheck, f.reason, "%s", f.message)
	case !silent(pod) && !since(d, v1alpha1.ConditionDeploymentReady, slow):
		return operator.Wait(slow, f.reason, "%s", f.message)
	}
	// It takes longer than it should, or nobody reports any more, and the pod's own
	// status has no reason.
	if lost := r.nodeTrouble(ctx, pod); lost != "" {
		return operator.Trouble(recheck, "NodeNotReady", "%s", lost)
	}
	if said := r.lastWarning(ctx, pod); said != "" && !time.Now().After(pod.CreationTimestamp.Add(24*time.Hour)) {
		return operator.Trouble(recheck, f.reason, "%s Kubernetes says: %s", f.message, said)
	}
	return operator.Wait(recheck, f.reason, "%s", f.message)
}
