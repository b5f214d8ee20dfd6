package domain

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// slow is after how long something that usually takes a second gets its events
// looked at.
const slow = 15 * time.Second

// quotaSoon is when to try again what the former quota refused: Kubernetes'
// controller of quotas takes a changed one over a moment after it was written.
const quotaSoon = 500 * time.Millisecond

// A volume is nearly full, and full, from so many hundredths on. The last one is
// what its use may be away from what was told, and what btrfs needs for itself.
const (
	nearlyFull = 90
	full       = 99
)

// storage keeps the volume of the site's files.
func (r *Reconciler) storage(ctx context.Context, d *v1alpha1.Domain) error {
	live := &corev1.PersistentVolumeClaim{ObjectMeta: inSite(d, desired.VolumeName)}
	found, err := r.Kube.Live(ctx, live)
	if err != nil {
		return err
	}
	claim := live
	switch {
	case !found:
		claim = r.site(d).Volume(nil)
	case !asFound(d):
		claim = r.site(d).Volume(live)
	}
	size := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	if claim != live {
		err = r.Kube.Apply(ctx, d, claim)
	}
	if apierrors.IsForbidden(err) && found && !lasts(d) {
		return operator.Wait(quotaSoon, "Growing", "The volume grows to %s as soon as Kubernetes counts with the larger quota.", size.String())
	}
	if apierrors.IsInvalid(err) || apierrors.IsForbidden(err) {
		return operator.Trouble(recheck, "VolumeRefused", "Kubernetes does not take a volume of %s: %s. It may be that the storage class can't grow volumes, or that the quota is used up.", size.String(), reasonOf(err))
	}
	if err != nil {
		return err
	}
	if claim.Status.Phase == corev1.ClaimBound {
		return bound(d, claim, size)
	}
	return r.unbound(ctx, d, claim, size)
}

// unbound tells why there is no volume, or not yet.
func (r *Reconciler) unbound(ctx context.Context, d *v1alpha1.Domain, claim *corev1.PersistentVolumeClaim, size resource.Quantity) error {
	if claim.Status.Phase == corev1.ClaimLost {
		return operator.Trouble(recheck, "VolumeLost", "The volume behind the claim is gone; bring it back or restore a backup.")
	}
	if room, known := bytesOf(claim, v1alpha1.AnnotationRoomBytes); known {
		return operator.Trouble(recheck, "NoRoom", "The site's volume asks for %s and there is room for %s at most. Room has to be freed or added where volumes are; or delete the site and make it again with less.", size.String(), mebibytes(room))
	}
	if since(d, v1alpha1.ConditionPVCReady, slow) {
		if said := r.lastWarning(ctx, claim); said != "" {
			return operator.Trouble(recheck, "VolumePending", "The volume is not made: %s", said)
		}
	}
	return operator.Wait(slow, "VolumePending", "The volume is being made.")
}

// roomless tells whether the site's volume could not be made because nothing has that much
// room: no node takes the pod then, and none that is added for its processors would.
func (r *Reconciler) roomless(ctx context.Context, d *v1alpha1.Domain) bool {
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: inSite(d, desired.VolumeName)}
	found, err := r.Kube.Live(ctx, claim)
	_, known := bytesOf(claim, v1alpha1.AnnotationRoomBytes)
	return err == nil && found && known && claim.Status.Phase == corev1.ClaimPending
}

// bound tells how large the volume is, and how full.
func bound(d *v1alpha1.Domain, claim *corev1.PersistentVolumeClaim, size resource.Quantity) error {
	have := claim.Status.Capacity[corev1.ResourceStorage]
	used, known := bytesOf(claim, v1alpha1.AnnotationUsedBytes)
	d.Status.Storage = &v1alpha1.StorageStatus{Size: have.String()}
	if known {
		d.Status.Storage.Used = mebibytes(used)
	}
	if have.Cmp(size) < 0 {
		return operator.Wait(recheck, "Growing", "The volume grows from %s to %s.", have.String(), size.String())
	}
	if !known {
		return nil
	}
	return fullness(used, have.Value())
}

// bytesOf reads what a claim's storage tells about its volume, if it does.
func bytesOf(claim *corev1.PersistentVolumeClaim, annotation string) (n int64, known bool) {
	n, err := strconv.ParseInt(claim.Annotations[annotation], 10, 64)
	return n, err == nil && n >= 0
}

// fullness says so before writing fails, and when it does. A site whose volume is
// nearly full is as it was asked to be; a full one is not.
func fullness(used, size int64) error {
	const help = "Delete files or raise spec.resources.storage."
	hundredths := float64(used) / float64(size) * 100
	switch {
	case hundredths >= full:
		return operator.Trouble(recheck, "VolumeFull", "The site's volume is full: %s of %s are used, and nothing more can be written. %s", mebibytes(used), mebibytes(size), help)
	case hundredths >= nearlyFull:
		return operator.Done("VolumeNearlyFull", "The site's volume is nearly full: %s of %s are used. %s", mebibytes(used), mebibytes(size), help)
	}
	return nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%dMi", n>>20) }

// lasts tells whether the volume has not been as it should for longer than a change
// of the quota takes.
func lasts(d *v1alpha1.Domain) bool {
	return !meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionPVCReady) && since(d, v1alpha1.ConditionPVCReady, slow)
}
