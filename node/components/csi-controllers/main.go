// Command csi-controllers runs beside a node's CSI driver and tells it what Kubernetes wants: Kubernetes' own
// external-provisioner, external-resizer, csi-snapshotter and snapshot-controller, in one process that shares its
// connections and caches. Besides, it tells on each claim how full its volume is. It needs no right on the node: volumes
// are the driver's business, objects are its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kubernetes-csi/csi-lib-utils/connection"
	"github.com/kubernetes-csi/csi-lib-utils/metrics"
	"github.com/kubernetes-csi/csi-lib-utils/rpc"
	snapshots "github.com/kubernetes-csi/external-snapshotter/client/v8/clientset/versioned"
	snapshotscheme "github.com/kubernetes-csi/external-snapshotter/client/v8/clientset/versioned/scheme"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

const (
	// resync is how long a lost watch event may go unnoticed.
	resync = 15 * time.Minute
	// patience with one call of the driver.
	patience = 30 * time.Second
	// A failure is tried again after firstPause, then twice that, up to lastPause: a full pool may be freed.
	firstPause = 100 * time.Millisecond
	lastPause  = 30 * time.Second
)

// site is what all of the controllers share.
type site struct {
	node      string
	driver    string
	conn      *grpc.ClientConn
	config    *rest.Config
	client    kubernetes.Interface
	snapshots snapshots.Interface
	informers informers.SharedInformerFactory
}

func main() {
	socket := flag.String("csi-address", "/csi/csi.sock", "the driver's socket")
	node := flag.String("node", os.Getenv("NODE_NAME"), "name of the node this runs on")
	klog.InitFlags(nil)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *socket, *node); err != nil {
		klog.ErrorS(err, "csi-controllers ends")
		klog.FlushAndExit(klog.ExitFlushTimeout, 1)
	}
}

func run(ctx context.Context, socket, node string) error {
	if err := setSwitches(feature.DefaultMutableFeatureGate); err != nil {
		return err
	}
	s, err := connect(ctx, socket, node)
	if err != nil {
		return err
	}
	provision, err := s.provisioner(ctx)
	if err != nil {
		return err
	}
	resize, err := s.resizer(ctx, socket)
	if err != nil {
		return err
	}
	snapshot := s.snapshotter()
	usage := s.usage()
	s.informers.Start(ctx.Done())
	s.informers.WaitForCacheSync(ctx.Done())
	group, ctx := errgroup.WithContext(ctx)
	for _, controller := range []func(context.Context) error{provision, resize, snapshot, s.snapshotController, usage.run} {
		group.Go(func() error { return controller(ctx) })
	}
	return group.Wait()
}

// connect waits for the driver. When the driver ends, this process ends with it, and both are started anew.
func connect(ctx context.Context, socket, node string) (*site, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	// The client's own limit of 5 requests a second would make ten new sites wait for each other; the API server has
	// its own fairness.
	config.QPS, config.Burst = 100, 200
	s := &site{node: node, config: config}
	if s.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if s.snapshots, err = snapshots.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	// So that events can be about snapshots.
	if err := snapshotscheme.AddToScheme(scheme.Scheme); err != nil {
		return nil, fmt.Errorf("learn of snapshots: %w", err)
	}
	s.informers = informers.NewSharedInformerFactory(s.client, resync)
	s.conn, err = connection.Connect(ctx, socket, metrics.NewCSIMetricsManager(""), connection.OnConnectionLoss(connection.ExitOnConnectionLoss()))
	if err != nil {
		return nil, fmt.Errorf("connect to the driver: %w", err)
	}
	if err := rpc.ProbeForever(ctx, s.conn, patience); err != nil {
		return nil, fmt.Errorf("wait for the driver: %w", err)
	}
	if s.driver, err = rpc.GetDriverName(ctx, s.conn); err != nil {
		return nil, fmt.Errorf("ask for the driver's name: %w", err)
	}
	return s, nil
}
