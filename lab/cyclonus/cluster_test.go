package cyclonus

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/mattfenwick/cyclonus/pkg/kube"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/yaml"
)

// cluster is cyclonus' way to Kubernetes, with two changes: everything happens in
// one family of addresses, and pods run programs of ours in an image that the node
// has, since there is no registry to take cyclonus' own from.
type cluster struct {
	*kube.Kubernetes
	family v1.IPFamily
	image  string
}

// connect skips the test when the cluster lacks the family.
func connect(t *testing.T, family v1.IPFamily) cluster {
	t.Helper()
	if os.Getenv("KUBECONFIG") == "" {
		t.Fatal("KUBECONFIG is not set: run 'make cyclonus'")
	}
	k, err := kube.NewKubernetesForContext("")
	if err != nil {
		t.Fatal(err)
	}
	k.RestConfig.QPS = -1
	nodes, err := k.ClientSet.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) == 0 {
		t.Fatalf("the cluster has %d nodes: %v", len(nodes.Items), err)
	}
	if family == v1.IPv6Protocol && len(nodes.Items[0].Spec.PodCIDRs) < 2 {
		t.Skip("the cluster's pods have no IPv6: this computer's kernel has none, or the machine was made without")
	}
	settings, err := k.ClientSet.CoreV1().ConfigMaps("kubepanel-system").Get(t.Context(), "kubepanel-platform", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var platform struct {
		Runtimes map[string]struct {
			Default  string
			Versions map[string]struct{ Image string }
		}
	}
	if err := yaml.Unmarshal([]byte(settings.Data["platform.yaml"]), &platform); err != nil {
		t.Fatal(err)
	}
	php := platform.Runtimes["php"]
	return cluster{Kubernetes: k, family: family, image: php.Versions[php.Default].Image}
}

// clear removes the namespaces and waits until they are gone.
func (c cluster) clear(t *testing.T, namespaces []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	defer cancel()
	for _, name := range namespaces {
		if err := c.ClientSet.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for _, name := range namespaces {
		for {
			_, err := c.GetNamespace(name)
			if apierrors.IsNotFound(unwrap(err)) {
				break
			}
			select {
			case <-ctx.Done():
				t.Fatalf("namespace %s is not gone: %v", name, err)
			case <-tick.C:
			}
		}
	}
}

// unwrap takes off what cyclonus puts around errors.
func unwrap(err error) error {
	type causer interface{ Cause() error }
	for {
		c, ok := err.(causer)
		if !ok {
			return err
		}
		err = c.Cause()
	}
}

// CreatePod replaces cyclonus' servers by ours.
func (c cluster) CreatePod(pod *v1.Pod) (*v1.Pod, error) {
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		port := container.Ports[0]
		container.Image, container.ImagePullPolicy = c.image, v1.PullNever
		container.Command = []string{"php", "-r", serverOf(port.Protocol), "--", strconv.Itoa(int(port.ContainerPort))}
	}
	return c.Kubernetes.CreatePod(pod)
}

// SetPodLabels tries again when somebody, such as kubelet with the pod's status,
// wrote between cyclonus' look and its write.
func (c cluster) SetPodLabels(namespace, name string, labels map[string]string) (pod *v1.Pod, err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		pod, err = c.Kubernetes.SetPodLabels(namespace, name, labels)
		return unwrap(err)
	})
	return pod, err
}

// SetNamespaceLabels does the same for a namespace.
func (c cluster) SetNamespaceLabels(name string, labels map[string]string) (namespace *v1.Namespace, err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		namespace, err = c.Kubernetes.SetNamespaceLabels(name, labels)
		return unwrap(err)
	})
	return namespace, err
}

// CreateService gives the Service an address of the family.
func (c cluster) CreateService(service *v1.Service) (*v1.Service, error) {
	single := v1.IPFamilyPolicySingleStack
	service.Spec.IPFamilyPolicy, service.Spec.IPFamilies = &single, []v1.IPFamily{c.family}
	return c.Kubernetes.CreateService(service)
}

// GetPod shows a pod under its address of the family.
func (c cluster) GetPod(namespace, name string) (*v1.Pod, error) {
	pod, err := c.Kubernetes.GetPod(namespace, name)
	if err == nil {
		c.choose(pod)
	}
	return pod, err
}

// GetPodsInNamespace does the same for all.
func (c cluster) GetPodsInNamespace(namespace string) ([]v1.Pod, error) {
	pods, err := c.Kubernetes.GetPodsInNamespace(namespace)
	for i := range pods {
		c.choose(&pods[i])
	}
	return pods, err
}

func (c cluster) choose(pod *v1.Pod) {
	six := c.family == v1.IPv6Protocol
	pod.Status.PodIP = ""
	for _, ip := range pod.Status.PodIPs {
		if isIPv6(ip.IP) == six {
			pod.Status.PodIP = ip.IP
		}
	}
}

// ExecuteRemoteCommand runs our client with the list of tries that cyclonus made.
func (c cluster) ExecuteRemoteCommand(namespace, pod, container string, command []string) (string, string, error, error) {
	jobs := command[len(command)-1]
	return c.Kubernetes.ExecuteRemoteCommand(namespace, pod, container, []string{"php", "-r", clientScript, "--", jobs})
}
