package domain

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// slow is after how long something that usually takes a second gets its events
// looked at.
const slow = 15 * time.Second

// storage keeps the volume of the site's files.
func (r *Reconciler) storage(ctx context.Context, d *v1alpha1.Domain) error {
	live := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Name: desired.VolumeName, Namespace: desired.Namespace(d.Spec.DomainName),
	}}
	found, err := r.Kube.Live(ctx, live)
	if err != nil {
		return err
	}
	if !found {
		live = nil
	}
	claim := r.site(d).Volume(live)
	size := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	err = r.Kube.Apply(ctx, d, claim)
	if apierrors.IsInvalid(err) || apierrors.IsForbidden(err) {
		return operator.Trouble(recheck, "VolumeRefused", "Kubernetes does not take a volume of %s: %s. It may be that the storage class can't grow volumes, or that the quota is used up.", size.String(), reasonOf(err))
	}
	if err != nil {
		return err
	}
	switch claim.Status.Phase {
	case corev1.ClaimBound:
		if have := claim.Status.Capacity[corev1.ResourceStorage]; have.Cmp(size) < 0 {
			return operator.Wait(recheck, "Growing", "The volume grows from %s to %s.", have.String(), size.String())
		}
		return nil
	case corev1.ClaimLost:
		return operator.Trouble(recheck, "VolumeLost", "The volume behind the claim is gone; bring it back or restore a backup.")
	}
	if since(d, v1alpha1.ConditionPVCReady, slow) {
		if said := r.lastWarning(ctx, claim); said != "" {
			return operator.Trouble(recheck, "VolumePending", "The volume is not made: %s", said)
		}
	}
	return operator.Wait(slow, "VolumePending", "The volume is being made.")
}
