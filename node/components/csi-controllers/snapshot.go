package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	snapshotinformers "github.com/kubernetes-csi/external-snapshotter/client/v8/informers/externalversions"
	common "github.com/kubernetes-csi/external-snapshotter/v8/pkg/common-controller"
	snapshotmetrics "github.com/kubernetes-csi/external-snapshotter/v8/pkg/metrics"
	sidecar "github.com/kubernetes-csi/external-snapshotter/v8/pkg/sidecar-controller"
	"github.com/kubernetes-csi/external-snapshotter/v8/pkg/snapshotter"
	"github.com/kubernetes-csi/external-snapshotter/v8/pkg/utils"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const snapshotThreads = 4

// snapshotter is csi-snapshotter as its command wires it with --node-deployment: it takes the snapshots of the volumes
// of this node.
func (s *site) snapshotter() func(context.Context) error {
	factory := snapshotinformers.NewSharedInformerFactory(s.snapshots, resync)
	own := snapshotinformers.NewSharedInformerFactoryWithOptions(s.snapshots, resync,
		snapshotinformers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.LabelSelector = labels.Set{utils.VolumeSnapshotContentManagedByLabel: s.node}.String()
		}))
	controller := sidecar.NewCSISnapshotSideCarController(s.snapshots, s.client, s.driver,
		own.Snapshot().V1().VolumeSnapshotContents(), factory.Snapshot().V1().VolumeSnapshotClasses(),
		snapshotter.NewSnapshotter(s.conn), nil, patience, resync, "snapshot", -1, "", -1, false,
		pauses(), false, nil, nil, pauses())
	return func(ctx context.Context) error {
		factory.Start(ctx.Done())
		own.Start(ctx.Done())
		controller.Run(snapshotThreads, ctx.Done(), nil)
		return ctx.Err()
	}
}

// snapshotController is snapshot-controller, of which one in the whole cluster is at work.
func (s *site) snapshotController(ctx context.Context) error {
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, os.Getenv("NAMESPACE"), "snapshot-controller",
		s.client.CoreV1(), s.client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: s.node})
	if err != nil {
		return fmt.Errorf("elect the snapshot-controller: %w", err)
	}
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: lock, Name: "snapshot-controller", ReleaseOnCancel: true,
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: s.leadSnapshots, OnStoppedLeading: func() {}},
	})
	if ctx.Err() == nil {
		return errors.New("another node's snapshot-controller took over") // started anew, this process waits
	}
	return ctx.Err()
}

func (s *site) leadSnapshots(ctx context.Context) {
	factory := snapshotinformers.NewSharedInformerFactory(s.snapshots, resync)
	core := informers.NewSharedInformerFactory(s.client, resync)
	kinds := factory.Snapshot().V1()
	controller := common.NewCSISnapshotCommonController(s.snapshots, s.client,
		kinds.VolumeSnapshots(), kinds.VolumeSnapshotContents(), kinds.VolumeSnapshotClasses(), nil, nil, nil,
		core.Core().V1().PersistentVolumeClaims(), core.Core().V1().PersistentVolumes(), core.Core().V1().Nodes(),
		snapshotmetrics.NewMetricsManager(), resync, pauses(), pauses(), pauses(), pauses(), true, true, false)
	factory.Start(ctx.Done())
	core.Start(ctx.Done())
	controller.Run(snapshotThreads, ctx.Done(), nil)
}
