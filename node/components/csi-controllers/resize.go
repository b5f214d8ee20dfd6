package main

import (
	"context"
	"fmt"

	"github.com/kubernetes-csi/csi-lib-utils/metrics"
	resize "github.com/kubernetes-csi/external-resizer/pkg/controller"
	"github.com/kubernetes-csi/external-resizer/pkg/csi"
	"github.com/kubernetes-csi/external-resizer/pkg/resizer"
	corev1 "k8s.io/api/core/v1"
)

// resizer is external-resizer, for the volumes of this node.
func (s *site) resizer(ctx context.Context, socket string) (func(context.Context) error, error) {
	client, err := csi.New(ctx, socket, patience, metrics.NewCSIMetricsManager(s.driver))
	if err != nil {
		return nil, fmt.Errorf("connect to the driver: %w", err)
	}
	all, err := resizer.NewResizerFromClient(client, patience, s.client, s.driver)
	if err != nil {
		return nil, fmt.Errorf("ask whether the driver resizes: %w", err)
	}
	controller := resize.NewResizeController(s.driver, ownResizer{all, s.driver, s.node}, s.client, resync, s.informers, pauses(), false, lastPause)
	const threads = 2
	return func(ctx context.Context) error {
		controller.Run(threads, ctx)
		return ctx.Err()
	}, nil
}

// ownResizer leaves volumes of other nodes to the resizers there.
type ownResizer struct {
	resizer.Resizer
	driver, node string
}

// CanSupport tells whether a volume lies here.
func (r ownResizer) CanSupport(volume *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	return liesOn(volume, r.driver+"/node", r.node) && r.Resizer.CanSupport(volume, claim)
}

// liesOn reads where a volume can be reached from.
func liesOn(volume *corev1.PersistentVolume, key, node string) bool {
	if volume.Spec.NodeAffinity == nil || volume.Spec.NodeAffinity.Required == nil {
		return false
	}
	for _, term := range volume.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, e := range term.MatchExpressions {
			if e.Key == key && len(e.Values) == 1 && e.Values[0] == node {
				return true
			}
		}
	}
	return false
}
