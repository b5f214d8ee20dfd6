package kube

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// dialTimeout is how long a person waits to hear that a cluster does not answer.
// A cluster on the other side of the world answers within a second.
const dialTimeout = 5 * time.Second

// Address says which cluster is meant, as kubectl's flags do.
type Address struct {
	Kubeconfig string // a file; "" follows KUBECONFIG, then ~/.kube/config, then the pod's account
	Context    string // "" takes the file's current one
	Namespace  string // the platform's
}

// OpenStore makes a Store for a cluster. It does not speak to it yet.
func OpenStore(at Address) (Store, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = at.Kubeconfig
	rules.WarnIfAllMissing = false
	files := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: at.Context})
	if err := hasContext(files, at.Context); err != nil {
		return Store{}, err
	}
	config, err := files.ClientConfig()
	if err != nil {
		return Store{}, badConfig(at, err)
	}
	return NewStore(config, at.Namespace)
}

// NewStore makes a Store from a configuration of client-go.
func NewStore(config *rest.Config, namespace string) (Store, error) {
	config = rest.CopyConfig(config)
	config.UserAgent = "kubepanel"
	config.WarningHandlerWithContext = rest.NoWarnings{} // they are about fields that a person here never wrote
	config.QPS = -1                                      // a person types slower than any limit that makes sense
	if config.Dial == nil {
		config.Dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	config.Wrap(ReadItems) // of the Mirror's lists
	scheme, err := storeScheme()
	if err != nil {
		return Store{}, err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme, Mapper: storeMapper()})
	if err != nil {
		return Store{}, fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	raw, err := rawClient(config, scheme)
	if err != nil {
		return Store{}, err
	}
	return Store{Client: c, Namespace: namespace, Server: config.Host, raw: raw, params: runtime.NewParameterCodec(scheme)}, nil
}

func storeScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, storagev1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register kinds: %w", err)
		}
	}
	return scheme, nil
}

// storeMapper names the kinds that Store speaks of, so that no command has to
// ask the API server for everything it serves first.
func storeMapper() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper(nil)
	add := func(gv schema.GroupVersion, scope meta.RESTScope, kinds ...string) {
		for _, kind := range kinds {
			mapper.Add(gv.WithKind(kind), scope)
		}
	}
	add(v1alpha1.GroupVersion, meta.RESTScopeRoot, "Domain", "NodeMaintenance")
	add(v1alpha1.GroupVersion, meta.RESTScopeNamespace, "DatabaseAccess")
	add(corev1.SchemeGroupVersion, meta.RESTScopeRoot, "Node", "Namespace")
	add(corev1.SchemeGroupVersion, meta.RESTScopeNamespace, "ConfigMap", "Secret", "Event", "Pod",
		"Service", "PersistentVolumeClaim", "ResourceQuota")
	add(appsv1.SchemeGroupVersion, meta.RESTScopeNamespace, "Deployment", "DaemonSet", "StatefulSet")
	add(batchv1.SchemeGroupVersion, meta.RESTScopeNamespace, "CronJob", "Job")
	add(networkingv1.SchemeGroupVersion, meta.RESTScopeNamespace, "Ingress", "NetworkPolicy")
	add(storagev1.SchemeGroupVersion, meta.RESTScopeRoot, "StorageClass")
	return mapper
}

// hasContext finds a context that was misspelt; client-go has no kind of error
// for it. Whatever else is wrong with the files is found when they are used.
func hasContext(files clientcmd.ClientConfig, name string) error {
	raw, err := files.RawConfig()
	if name == "" || err != nil || raw.Contexts[name] != nil {
		return nil
	}
	return &hosting.Error{Code: hosting.Unreachable, Message: fmt.Sprintf("The kubeconfig has no context %q.", name),
		Mend: "See which it has with: kubectl config get-contexts"}
}

func badConfig(at Address, err error) error {
	e := &hosting.Error{Code: hosting.Unreachable, Mend: mendCluster, Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Message = fmt.Sprintf("There is no kubeconfig file %s.", at.Kubeconfig)
	case clientcmd.IsEmptyConfig(err):
		e.Message = "No cluster is named."
	default:
		e.Message = "The kubeconfig can't be used: " + err.Error() + "."
	}
	return e
}
