package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/klog/v2"
)

const (
	// usageMethod is the driver's own, beside CSI (csi-driver/service/usage.go).
	usageMethod = "/kubepanel.node.v1.Usage/List"
	// usedBytes on a claim tells how many bytes of its volume are used. Whoever looks after sites reads it there: asking
	// kubelet for the same would take a right over everything on the node.
	usedBytes = "kubepanel.io/used-bytes"
	// tellEvery bounds how old what is told may be, and how often a claim is written that is being filled. Up to a fifth
	// is added by chance, so that nodes which began together do not write together.
	tellEvery   = 15 * time.Second
	tellScatter = 0.2
	// worthwhile is the part of a volume by which its use has to change before that is told: half a hundredth, so that a
	// volume on which nothing can be written any more was never told to be less than 99 % full.
	worthwhile = 200
)

// usage tells of each volume of this node, on its claim, how much of it is used.
type usage struct {
	*site
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
}

func (s *site) usage() *usage {
	core := s.informers.Core().V1()
	return &usage{site: s, claims: core.PersistentVolumeClaims().Lister(), volumes: core.PersistentVolumes().Lister()}
}

// run tells until ctx ends. What went wrong is tried again at the next look.
func (u *usage) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait.Jitter(tellEvery, tellScatter)):
		}
		if err := u.tellAll(ctx); err != nil && ctx.Err() == nil {
			klog.ErrorS(err, "tell how full volumes are")
		}
	}
}

// tellAll looks at all volumes once. A claim that can't be written keeps no other from being told.
func (u *usage) tellAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	used := &structpb.Struct{}
	if err := u.conn.Invoke(ctx, usageMethod, &emptypb.Empty{}, used); err != nil {
		return fmt.Errorf("ask the driver: %w", err)
	}
	claims, err := u.claims.List(labels.Everything())
	if err != nil {
		return err
	}
	var failed error
	for _, claim := range claims {
		bytes, ok := used.GetFields()[u.handle(claim)]
		if !ok || !news(claim, int64(bytes.GetNumberValue())) {
			continue
		}
		failed = errors.Join(failed, u.tell(ctx, claim, int64(bytes.GetNumberValue())))
		if ctx.Err() != nil {
			break
		}
	}
	return failed
}

// handle is what the driver calls a claim's volume; "" of one that is not bound, or not to a volume of this node.
func (u *usage) handle(claim *corev1.PersistentVolumeClaim) string {
	volume, err := u.volumes.Get(claim.Spec.VolumeName)
	if err != nil || volume.Spec.ClaimRef == nil || volume.Spec.ClaimRef.UID != claim.UID {
		return ""
	}
	if volume.Spec.CSI == nil || volume.Spec.CSI.Driver != u.driver || !liesOn(volume, u.driver+"/node", u.node) {
		return ""
	}
	return volume.Spec.CSI.VolumeHandle
}

// news says whether it is worth a request that so many bytes are used.
func news(claim *corev1.PersistentVolumeClaim, used int64) bool {
	told, err := strconv.ParseInt(claim.Annotations[usedBytes], 10, 64)
	if err != nil {
		return true
	}
	size := claim.Status.Capacity[corev1.ResourceStorage]
	return away(told, used, size.Value())
}

// away tells whether a figure about a volume is another one than was told, by as much as is worthwhile.
func away(told, now, size int64) bool {
	step := max(1, size/worthwhile)
	return now-told >= step || told-now >= step
}

func (u *usage) tell(ctx context.Context, claim *corev1.PersistentVolumeClaim, used int64) error {
	text := strconv.FormatInt(used, 10)
	return u.annotate(ctx, claim, usedBytes, &text)
}

// annotate writes on a claim; nil takes away.
func (s *site) annotate(ctx context.Context, claim *corev1.PersistentVolumeClaim, name string, value *string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": claim.UID, "annotations": map[string]*string{name: value},
	}})
	if err != nil {
		return err
	}
	_, err = s.client.CoreV1().PersistentVolumeClaims(claim.Namespace).Patch(ctx, claim.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // it is gone, or another one of that name is there
	}
	if err != nil {
		return fmt.Errorf("tell on claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	return nil
}
