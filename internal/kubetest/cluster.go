package kubetest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// startTimeout is generous: on two busy cores an API server has taken 25 s.
const startTimeout = 2 * time.Minute

// Cluster is an API server without nodes: objects are stored, validated and
// defaulted, but no pod ever runs.
type Cluster struct {
	// Config signs in as an administrator.
	Config *rest.Config
	// Client reads and writes without a cache. It knows Kubernetes' kinds and ours.
	Client client.Client
	// Scheme is what Client knows.
	Scheme *runtime.Scheme
	// Kubeconfig is the path of a file with the same rights, for programs.
	Kubeconfig string

	env         *envtest.Environment
	folder      string
	controllers *controllers
}

// Run starts a cluster, stores it in into, runs the package's tests and stops
// it. It is what TestMain passes to os.Exit:
//
//	func TestMain(m *testing.M) { os.Exit(kubetest.Run(m, &cluster)) }
//
// Listing tests and fuzzing need no cluster: go test runs the program once more
// for each worker.
func Run(m *testing.M, into **Cluster) int {
	flag.Parse()
	if flagSet("test.list") || flagSet("test.fuzz") {
		return m.Run()
	}
	c, err := Start()
	if err != nil {
		fmt.Fprintf(os.Stderr, "start an API server: %v\n", err)
		return 1
	}
	*into = c
	code := m.Run()
	if err := c.Stop(); err != nil {
		fmt.Fprintf(os.Stderr, "stop the API server: %v\n", err)
		return 1
	}
	return code
}

func flagSet(name string) bool {
	f := flag.Lookup(name)
	return f != nil && f.Value.String() != ""
}

// Flag is a flag of kube-apiserver that a test needs otherwise than usual.
type Flag struct{ Name, Value string }

// Start starts an API server with our kinds. The caller stops it.
func Start(flags ...Flag) (*Cluster, error) {
	found, err := findBinaries()
	if err != nil {
		return nil, err
	}
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "kubetest-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	c := &Cluster{Scheme: scheme, folder: folder}
	if err := c.start(found, flags); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	if err := c.connect(found); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// start starts etcd and the API server and installs our kinds.
func (c *Cluster) start(found binaries, flags []Flag) error {
	crds, err := crdFolder()
	if err != nil {
		return err
	}
	apiServer, err := bound(c.folder, found.apiServer)
	if err != nil {
		return err
	}
	etcd, err := bound(c.folder, found.etcd)
	if err != nil {
		return err
	}
	c.env = &envtest.Environment{
		Scheme:                   c.Scheme,
		CRDDirectoryPaths:        []string{crds},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  startTimeout,
	}
	c.env.ControlPlane.GetAPIServer().Path = apiServer
	// Services have addresses of both families, as those of our node.
	c.env.ControlPlane.GetAPIServer().Configure().Set("service-cluster-ip-range", "10.0.0.0/16,fd00:10::/108")
	for _, f := range flags {
		c.env.ControlPlane.GetAPIServer().Configure().Set(f.Name, f.Value)
	}
	c.env.ControlPlane.Etcd = &envtest.Etcd{Path: etcd}
	c.env.ControlPlane.KubectlPath = found.kubectl
	// A test's data may be lost with the computer; flushing every write costs
	// most of a test's time on a slow disk.
	c.env.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")
	c.Config, err = c.env.Start()
	return err
}

// connect makes what tests use to talk to the server, and starts the
// controllers that make deletion work.
func (c *Cluster) connect(found binaries) (err error) {
	if c.Client, err = client.New(c.Config, client.Options{Scheme: c.Scheme}); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	c.Kubeconfig = filepath.Join(c.folder, "kubeconfig")
	if err := os.WriteFile(c.Kubeconfig, c.env.KubeConfig, 0o600); err != nil {
		return fmt.Errorf("write a kubeconfig: %w", err)
	}
	c.controllers, err = startControllers(found.controllerManager, c.Kubeconfig)
	return err
}

// Stop ends the processes and removes their data.
func (c *Cluster) Stop() error {
	errs := []error{c.controllers.stop()}
	if c.env != nil {
		errs = append(errs, c.env.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(c.folder))...)
}

// LetGo plays the operator at the end of a site, where none runs: it takes the finalizer
// off a Domain that is being deleted, as if nothing of the site were left.
func (c *Cluster) LetGo(ctx context.Context, name string) error {
	var d v1alpha1.Domain
	if err := c.Client.Get(ctx, client.ObjectKey{Name: name}, &d); err != nil {
		return fmt.Errorf("let go: %w", err)
	}
	before := d.DeepCopy()
	if d.DeletionTimestamp.IsZero() || !controllerutil.RemoveFinalizer(&d, v1alpha1.FinalizerDomain) {
		return fmt.Errorf("let go: Domain %s is not being deleted, or has no finalizer of the operator", name)
	}
	if err := c.Client.Patch(ctx, &d, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("let go: %w", err)
	}
	return nil
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register kinds: %w", err)
		}
	}
	return scheme, nil
}
