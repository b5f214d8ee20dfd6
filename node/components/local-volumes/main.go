// Command local-volumes gives claims of the class kubepanel-local a folder on
// this node's disk. One runs on every node. It makes and removes folders and
// says so to Kubernetes; it never mounts anything and never looks into a folder.
// A claim's size is not enforced: a folder has no limit of its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// resync is how long a lost watch event may go unnoticed.
const resync = 15 * time.Minute

type options struct {
	folder     string
	node       string
	kubeconfig string
	immediate  bool
}

func main() {
	var o options
	flag.StringVar(&o.folder, "folder", "/var/lib/kubepanel-volumes", "folder that holds the volumes")
	flag.StringVar(&o.node, "node", os.Getenv("NODE_NAME"), "name of the node this runs on")
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig file (default: the pod's own account)")
	flag.BoolVar(&o.immediate, "immediate", false,
		"also serve claims that no node was chosen for (binding mode Immediate); give this to the program on one node only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, o); err != nil {
		klog.ErrorS(err, "local-volumes ends")
		klog.FlushAndExit(klog.ExitFlushTimeout, 1)
	}
}

func run(ctx context.Context, o options) error {
	config, err := connection(o.kubeconfig)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	node, err := client.CoreV1().Nodes().Get(ctx, o.node, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("look up node %q: %w", o.node, err)
	}
	folder, err := os.OpenRoot(o.folder)
	if err != nil {
		return fmt.Errorf("open the volumes' folder: %w", err)
	}
	defer func() { _ = folder.Close() }()

	factory := informers.NewSharedInformerFactory(client, resync)
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	g := &grower{client: client, claims: factory.Core().V1().PersistentVolumeClaims().Lister()}
	if err := g.watch(claims); err != nil {
		return fmt.Errorf("watch claims: %w", err)
	}
	v := &volumes{folder: folder, path: o.folder, node: o.node, hostname: node.Labels[hostnameLabel], immediate: o.immediate}
	provisioner := controller.NewProvisionController(ctx, client, provisionerName, v,
		controller.LeaderElection(false), // every node serves its own claims
		controller.ClaimsInformer(claims),
		controller.ResyncPeriod(resync),
		controller.FailedProvisionThreshold(0), // 0: try until it works, a full disk may be freed
		controller.FailedDeleteThreshold(0),
		controller.RateLimiter(workqueue.NewTypedItemExponentialFailureRateLimiter[string](100*time.Millisecond, 30*time.Second)),
	)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go g.run(ctx)
	provisioner.Run(ctx)
	return nil
}

func connection(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	// The client's own limit of 5 requests a second would make ten new sites
	// wait for each other; the API server has its own fairness.
	config.QPS, config.Burst = 100, 200
	return config, nil
}
