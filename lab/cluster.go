package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// consent is the variable that says: this cluster is there to be tested on.
const consent = "KUBEPANEL_LAB"

// platformNamespace is where the chart is installed.
const platformNamespace = "kubepanel-system"

// cluster is the platform under test, seen as its administrator sees it: with
// the kubeconfig, the kubepanel command, and its web ports on this computer.
type cluster struct {
	client.Client
	config    *rest.Config
	clientset *kubernetes.Clientset
	settings  *platform.Settings
	node      string // name of the one node
	address   string // the node's address, reached from this computer
	ca        []byte // PEM
}

// openCluster skips the journey when no cluster is there to be wrecked.
func openCluster(t testing.TB) *cluster {
	t.Helper()
	if os.Getenv(consent) != "1" {
		t.Skipf("%s is not 1: journeys need a cluster that may be wrecked; 'make lab' makes one and runs them", consent)
	}
	c, err := connect(t.Context())
	if err != nil {
		t.Fatalf("reach the lab's cluster: %v", err)
	}
	c.ca = []byte(c.kubepanel(t, "platform", "ca").must(t))
	return c
}

func connect(ctx context.Context) (*cluster, error) {
	path := os.Getenv("KUBECONFIG")
	if path == "" {
		return nil, errors.New("KUBECONFIG is not set: run 'make lab'")
	}
	log.SetLogger(logr.Discard()) // what the client has to say comes back as errors
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	// Journeys look often; client-go's own limit of 5 requests a second would
	// measure itself, and near a deadline speak in its place.
	config.QPS = -1
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	c := &cluster{config: config}
	if c.Client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return nil, err
	}
	if c.clientset, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	if err := c.readSettings(ctx); err != nil {
		return nil, err
	}
	return c, c.readNode(ctx)
}

func (c *cluster) readSettings(ctx context.Context) error {
	var file corev1.ConfigMap
	key := client.ObjectKey{Namespace: platformNamespace, Name: platform.ConfigMapName}
	if err := c.Get(ctx, key, &file); err != nil {
		return err
	}
	settings, err := platform.Parse([]byte(file.Data[platform.FileName]))
	c.settings = settings
	return err
}

func (c *cluster) readNode(ctx context.Context) error {
	var nodes corev1.NodeList
	if err := c.List(ctx, &nodes); err != nil {
		return err
	}
	if len(nodes.Items) != 1 {
		return fmt.Errorf("the lab has one node, this cluster has %d", len(nodes.Items))
	}
	c.node = nodes.Items[0].Name
	for _, a := range nodes.Items[0].Status.Addresses {
		if a.Type == corev1.NodeInternalIP && net.ParseIP(a.Address).To4() != nil {
			c.address = a.Address
			return nil
		}
	}
	return fmt.Errorf("node %s has no IPv4 address", c.node)
}

// service returns the address of a Service.
func (c *cluster) service(t testing.TB, namespace, name string) string {
	t.Helper()
	var s corev1.Service
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &s); err != nil {
		t.Fatal(err)
	}
	return s.Spec.ClusterIP
}
