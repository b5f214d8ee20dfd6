package domain

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// endingCheck is how often we look whether a namespace that is being removed is
// gone; the watch usually tells first.
const endingCheck = 5 * time.Second

// namespace keeps the room that everything of the site stands in, with its bounds.
func (r *Reconciler) namespace(ctx context.Context, d *v1alpha1.Domain) error {
	if err := r.confirm(ctx, d); err != nil {
		return err
	}
	if err := r.claim(ctx, d); err != nil || asFound(d) {
		return err
	}
	site := r.site(d)
	want := site.Namespace()
	if err := r.ownNamespace(ctx, d, want); err != nil {
		return err
	}
	if !want.DeletionTimestamp.IsZero() {
		return operator.Wait(endingCheck, "NamespaceEnding", "Namespace %s is being removed; it is made anew once it is gone.", want.Name)
	}
	d.Status.Namespace = want.Name
	if err := r.apply(ctx, d, site.ResourceQuota(), site.NetworkPolicy()); err != nil {
		return err
	}
	return r.removeFormer(ctx, d)
}

// removeFormer removes what an earlier version of the operator made, once what took its
// place is there. Of what is in the cache only, so it costs a new site no request.
func (r *Reconciler) removeFormer(ctx context.Context, d *v1alpha1.Domain) error {
	for _, name := range r.site(d).Former() {
		object, ok := name.(client.Object)
		if !ok {
			continue // each is
		}
		if _, err := r.Kube.Delete(ctx, d, object); err != nil {
			return err
		}
	}
	return nil
}

// ownNamespace makes the namespace, or takes up one that is ours. A stranger's is
// never adopted, so the first write creates and does not apply.
func (r *Reconciler) ownNamespace(ctx context.Context, d *v1alpha1.Domain, want *corev1.Namespace) error {
	live := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: want.Name}}
	found, err := r.Kube.Live(ctx, live)
	if err != nil {
		return err
	}
	if !found {
		if err := r.admit(d); err != nil {
			return err
		}
		created, err := r.Kube.Create(ctx, d, want)
		if err != nil || created {
			return err
		}
		// It is there and not in our cache: somebody took our label away, or it never
		// had one.
		if err := r.Direct.Get(ctx, client.ObjectKeyFromObject(want), live); err != nil {
			return err
		}
	}
	switch {
	case metav1.IsControlledBy(live, d), belongs(live, d) && metav1.GetControllerOf(live) == nil:
	case belongs(live, d):
		return operator.Wait(endingCheck, "NamespaceEnding", "Namespace %s is still that of an earlier Domain of this name, and is removed with it.", want.Name)
	default:
		return operator.Stall("NamespaceTaken", "Namespace %s exists and was not made for this Domain. Remove it, or move it away, to let the site live there.", want.Name)
	}
	if !live.DeletionTimestamp.IsZero() {
		want.DeletionTimestamp = live.DeletionTimestamp
		return nil
	}
	return r.Kube.Apply(ctx, d, want)
}

// admit says why no new site may be made now. Those that live already stay: to take
// them down would hurt more than it protects.
func (r *Reconciler) admit(d *v1alpha1.Domain) error {
	if r.Admit == nil || d.Status.Namespace != "" {
		return nil
	}
	return r.Admit()
}

// belongs tells whether a namespace says that it was made for this Domain's name.
func belongs(ns *corev1.Namespace, d *v1alpha1.Domain) bool {
	return ns.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy &&
		ns.Annotations[v1alpha1.AnnotationDomainName] == d.Spec.DomainName
}

// deleteNamespace removes the namespace with all that stands in it, and waits
// until it is gone.
func (r *Reconciler) deleteNamespace(ctx context.Context, d *v1alpha1.Domain) error {
	mine, err := r.holds(ctx, d)
	if err != nil || !mine {
		return err
	}
	live := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: desired.Namespace(d.Spec.DomainName)}}
	found, err := r.Kube.Live(ctx, live)
	if err != nil {
		return err
	}
	if !found {
		// It may be there all the same: somebody took our label away.
		err = r.Direct.Get(ctx, client.ObjectKeyFromObject(live), live)
	}
	if apierrors.IsNotFound(err) {
		return operator.Done("Deleted", "The namespace is gone.")
	}
	if err != nil {
		return err
	}
	if !metav1.IsControlledBy(live, d) && (!belongs(live, d) || metav1.GetControllerOf(live) != nil) {
		return operator.Done("NotOurs", "Namespace %s was not made for this Domain and stays.", live.Name)
	}
	if live.DeletionTimestamp.IsZero() {
		ended, err := r.endPods(ctx, d)
		if err != nil {
			return err
		}
		if !ended {
			return operator.Wait(endingCheck, "PodEnding", "The site's pod is ending; namespace %s is removed after it.", live.Name)
		}
		if err := r.Kube.Remove(ctx, live); err != nil {
			return err
		}
	}
	if released(d) {
		return operator.Done("Released", "Kubernetes goes on removing namespace %s.", live.Name)
	}
	return remaining(live)
}

// podPatience is how long a namespace waits for its pods: their grace period and
// a little. Who is later ends with the namespace, or with its node.
const podPatience = 15 * time.Second

// endPods ends the site's pods before its namespace goes, and tells whether they
// have. A namespace in which a pod still runs is looked at again only after half of
// the pod's grace period, although the pod ends within a second.
func (r *Reconciler) endPods(ctx context.Context, d *v1alpha1.Domain) (ended bool, err error) {
	if time.Since(d.DeletionTimestamp.Time) > podPatience {
		return true, nil
	}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Name: desired.ObjectName(d.Spec.DomainName), Namespace: desired.Namespace(d.Spec.DomainName),
	}}
	if _, err := r.Kube.Delete(ctx, d, deployment); err != nil {
		return false, err
	}
	pods, err := r.pods(ctx, d)
	return len(pods) == 0, err
}

// remaining waits for a namespace, and says what Kubernetes itself reports to be in the way.
func remaining(ns *corev1.Namespace) error {
	for _, c := range ns.Status.Conditions {
		if c.Status == corev1.ConditionTrue {
			return operator.Wait(endingCheck, "NamespaceEnding", "Namespace %s is being removed. Kubernetes says: %s", ns.Name, c.Message)
		}
	}
	return operator.Wait(endingCheck, "NamespaceEnding", "Namespace %s is being removed.", ns.Name)
}

// holds tells whether the name is this Domain's: one that never had it has
// nothing to remove.
func (r *Reconciler) holds(ctx context.Context, d *v1alpha1.Domain) (bool, error) {
	w, err := r.holder(ctx, d.Spec.DomainName)
	return w == nil || w.UID == d.UID, err
}

// released tells whether an administrator lets a Domain go although something of
// it may be left.
func released(d *v1alpha1.Domain) bool { return d.Annotations[v1alpha1.AnnotationRelease] == "true" }
