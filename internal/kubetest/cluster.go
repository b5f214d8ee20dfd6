package kubetest

import (
	"errors"
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
func Run(m *testing.M, into **Cluster) int {
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

// Start starts an API server with our kinds. The caller stops it.
func Start() (*Cluster, error) {
	found, err := findBinaries()
	if err != nil {
		return nil, err
	}
	crds, err := crdFolder()
	if err != nil {
		return nil, err
	}
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	env := &envtest.Environment{
		Scheme:                   scheme,
		CRDDirectoryPaths:        []string{crds},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  startTimeout,
	}
	env.ControlPlane.GetAPIServer().Path = found.apiServer
	env.ControlPlane.Etcd = &envtest.Etcd{Path: found.etcd}
	env.ControlPlane.KubectlPath = found.kubectl
	// A test's data may be lost with the computer; flushing every write costs
	// most of a test's time on a slow disk.
	env.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")
	config, err := env.Start()
	if err != nil {
		return nil, errors.Join(err, env.Stop())
	}
	c := &Cluster{Config: config, Scheme: scheme, env: env}
	if err := c.connect(found); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// connect makes what tests use to talk to the server, and starts the
// controllers that make deletion work.
func (c *Cluster) connect(found binaries) (err error) {
	if c.Client, err = client.New(c.Config, client.Options{Scheme: c.Scheme}); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	if c.folder, err = os.MkdirTemp("", "kubetest-"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
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
	return errors.Join(c.controllers.stop(), c.env.Stop(), os.RemoveAll(c.folder))
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
