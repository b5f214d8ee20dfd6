package main

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// grower grants a claim that was made larger. A folder has no size, so all
// there is to do is to say so: on the volume, then on the claim.
type grower struct {
	client kubernetes.Interface
	claims listers.PersistentVolumeClaimLister
	queue  workqueue.TypedRateLimitingInterface[cache.ObjectName]
}

func (g *grower) watch(claims cache.SharedIndexInformer) error {
	g.queue = workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]())
	enqueue := func(object any) {
		if claim, ok := object.(*corev1.PersistentVolumeClaim); ok && wantsMore(claim) {
			g.queue.Add(cache.MetaObjectToName(claim))
		}
	}
	_, err := claims.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, object any) { enqueue(object) },
	})
	return err
}

func (g *grower) run(ctx context.Context) {
	context.AfterFunc(ctx, g.queue.ShutDown)
	for {
		name, shutdown := g.queue.Get()
		if shutdown {
			return
		}
		if err := g.grow(ctx, name); err != nil {
			klog.ErrorS(err, "growing a volume", "claim", name)
			g.queue.AddRateLimited(name)
		} else {
			g.queue.Forget(name)
		}
		g.queue.Done(name)
	}
}

// wantsMore tells whether a bound claim of ours asks for more than it has.
func wantsMore(claim *corev1.PersistentVolumeClaim) bool {
	want, have := claim.Spec.Resources.Requests[corev1.ResourceStorage], claim.Status.Capacity[corev1.ResourceStorage]
	return claim.Status.Phase == corev1.ClaimBound &&
		claim.Annotations["volume.kubernetes.io/storage-provisioner"] == provisionerName &&
		want.Cmp(have) > 0
}

func (g *grower) grow(ctx context.Context, name cache.ObjectName) error {
	claim, err := g.claims.PersistentVolumeClaims(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) || (err == nil && !wantsMore(claim)) {
		return nil
	}
	if err != nil {
		return err
	}
	size := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	patch, err := capacityPatch("spec", size)
	if err != nil {
		return err
	}
	volumes := g.client.CoreV1().PersistentVolumes()
	if _, err := volumes.Patch(ctx, claim.Spec.VolumeName, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("grow volume %s: %w", claim.Spec.VolumeName, err)
	}
	if patch, err = capacityPatch("status", size); err != nil {
		return err
	}
	claims := g.client.CoreV1().PersistentVolumeClaims(name.Namespace)
	if _, err := claims.Patch(ctx, name.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		return fmt.Errorf("grow claim %s: %w", name, err)
	}
	return nil
}

func capacityPatch(part string, size resource.Quantity) ([]byte, error) {
	change := map[string]any{"capacity": corev1.ResourceList{corev1.ResourceStorage: size}}
	if part == "status" {
		change["conditions"] = nil // "Resizing" is over
	}
	return json.Marshal(map[string]any{part: change})
}
