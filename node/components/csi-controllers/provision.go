package main

import (
	"context"
	"fmt"

	"github.com/container-storage-interface/spec/lib/go/csi"
	provision "github.com/kubernetes-csi/external-provisioner/v6/pkg/controller"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/util/workqueue"
	csitrans "k8s.io/csi-translation-lib"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// provisionThreads is how many volumes are made at once; the driver does them one after the other, waiting for the
// disk together.
const provisionThreads = 20

// provisioner is external-provisioner as its cmd/csi-provisioner wires it with --node-deployment: each node serves the
// claims that are its own.
func (s *site) provisioner(ctx context.Context) (func(context.Context) error, error) {
	plugin, can, err := provision.GetDriverCapabilities(s.conn, patience)
	if err != nil {
		return nil, fmt.Errorf("ask what the driver can: %w", err)
	}
	info, err := provision.GetNodeInfo(s.conn, patience)
	if err != nil {
		return nil, fmt.Errorf("ask the driver about the node: %w", err)
	}
	claims := s.informers.Core().V1().PersistentVolumeClaims()
	classes := s.informers.Storage().V1().StorageClasses()
	still, err := s.here(info)
	if err != nil {
		return nil, err
	}
	csiNodes, nodes := still.Storage().V1().CSINodes().Lister(), still.Core().V1().Nodes().Lister()
	provisioner := provision.NewCSIProvisioner(
		s.client, patience, s.driver+"-"+s.node, "pvc", -1, s.conn, s.snapshots, s.driver, plugin, can,
		"", false, true, csitrans.New(), classes.Lister(), csiNodes, nodes, claims.Lister(), nil, nil, false, "",
		&provision.NodeDeployment{NodeName: s.node, ClaimInformer: claims, NodeInfo: info, ImmediateBinding: true},
		false, true, provision.NewInMemoryStore(),
	)
	told, err := s.telling(provisioner)
	if err != nil {
		return nil, err
	}
	volumes := controller.NewProvisionController(ctx, s.client, s.driver, told,
		controller.LeaderElection(false), // every node serves its own claims
		controller.FailedProvisionThreshold(0),
		controller.FailedDeleteThreshold(0),
		controller.RateLimiter(pauses()),
		controller.CreateProvisionedPVLimiter(pauses()),
		controller.Threadiness(provisionThreads),
		controller.ClaimsInformer(claims.Informer()),
		controller.AddFinalizer(true),
	)
	clones := provision.NewCloningProtectionController(s.client, claims.Lister(), claims.Informer(),
		workqueue.NewTypedRateLimitingQueue(pauses()), can)
	return func(ctx context.Context) error {
		go clones.Run(ctx, 1, nil)
		volumes.Run(ctx)
		return ctx.Err()
	}, nil
}

func pauses() workqueue.TypedRateLimiter[string] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstPause, lastPause)
}

// here describes this node alone, in place of watching all of them.
func (s *site) here(info *csi.NodeGetInfoResponse) (informers.SharedInformerFactory, error) {
	segments := info.GetAccessibleTopology().GetSegments()
	driver := storagev1.CSINodeDriver{Name: s.driver, NodeID: info.GetNodeId()}
	for key := range segments {
		driver.TopologyKeys = append(driver.TopologyKeys, key)
	}
	still := informers.NewSharedInformerFactory(s.client, 0) // never started
	err := still.Storage().V1().CSINodes().Informer().GetStore().Add(&storagev1.CSINode{
		ObjectMeta: metav1.ObjectMeta{Name: s.node}, Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{driver}},
	})
	if err != nil {
		return nil, fmt.Errorf("describe the node: %w", err)
	}
	err = still.Core().V1().Nodes().Informer().GetStore().Add(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: s.node, Labels: segments}})
	if err != nil {
		return nil, fmt.Errorf("describe the node: %w", err)
	}
	return still, nil
}
