package kube_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/transport"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/kube"
)

// onlyNode leaves of a pod's spec what tells where it runs.
func onlyNode(in any) (any, error) {
	pod := in.(*corev1.Pod)
	pod.Spec = corev1.PodSpec{NodeName: pod.Spec.NodeName}
	return kube.Slim(pod)
}

// What is read of a list's items is what decoding them and leaving out would make of
// them, their sums included: what a watch brings later is compared with those.
func TestAListIsReadAsAWatchIs(t *testing.T) {
	const fieldNodeName = 10
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a", Env: []corev1.EnvVar{{Name: "A", Value: "b"}}}}},
	}
	job, running := template.DeepCopy(), template.DeepCopy()
	job.Spec.RestartPolicy, running.Spec.NodeName = corev1.RestartPolicyNever, "node-1"
	room := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	count := corev1.ResourceList{corev1.ResourceServicesNodePorts: resource.MustParse("1")}
	tests := map[string]struct {
		o    kube.Encoded
		keep toolscache.TransformFunc
		read func(kube.Encoded) kube.Reader
	}{
		"ConfigMap": {&corev1.ConfigMap{
			Data: map[string]string{"b": "c", "a": "b"}, BinaryData: map[string][]byte{"c": {0}}, Immutable: ptr.To(true),
		}, kube.Sum, kube.ReadSums},
		"ResourceQuota": {&corev1.ResourceQuota{
			Spec:   corev1.ResourceQuotaSpec{Hard: count},
			Status: corev1.ResourceQuotaStatus{Hard: count, Used: count},
		}, kube.Sum, kube.ReadSums},
		"NetworkPolicy": {&networkingv1.NetworkPolicy{
			Spec: networkingv1.NetworkPolicySpec{PodSelector: metav1.LabelSelector{MatchLabels: template.Labels}},
		}, kube.Sum, kube.ReadSums},
		"Ingress": {&networkingv1.Ingress{
			Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
				Service: &networkingv1.IngressServiceBackend{Name: "a", Port: networkingv1.ServiceBackendPort{Number: 80}},
			}},
			Status: networkingv1.IngressStatus{LoadBalancer: networkingv1.IngressLoadBalancerStatus{Ingress: []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}}},
		}, kube.Sum, kube.ReadSums},
		"Deployment": {&appsv1.Deployment{
			Spec:   appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: template.Labels}, Template: template},
			Status: appsv1.DeploymentStatus{Replicas: 1, ReadyReplicas: 1, AvailableReplicas: 1},
		}, kube.Sum, kube.ReadSums},
		"Secret":  {&corev1.Secret{Data: map[string][]byte{"a": []byte("b")}}, kube.Slim, whole},
		"Service": {&corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}, kube.Slim, whole},
		"CronJob": {&batchv1.CronJob{
			Spec: batchv1.CronJobSpec{Schedule: "0 0 1 1 *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: *job}}},
		}, kube.Slim, whole},
		"PersistentVolumeClaim": {&corev1.PersistentVolumeClaim{
			Spec:   corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, Resources: corev1.VolumeResourceRequirements{Requests: room}},
			Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound, Capacity: room},
		}, kube.Slim, whole},
		"Pod": {&corev1.Pod{
			Spec: running.Spec, Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "192.0.2.1", PodIPs: []corev1.PodIP{{IP: "192.0.2.1"}}},
		}, onlyNode, func(like kube.Encoded) kube.Reader { return kube.ReadParts(like, fieldNodeName) }},
	}
	var owner corev1.Namespace
	if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: "default"}, &owner); err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := tt.o
			o.SetNamespace("default")
			o.SetGenerateName("read-")
			o.SetLabels(map[string]string{"read": name})
			o.SetAnnotations(map[string]string{kube.AnnotationApplied: "a", "of.others/note": "b"})
			o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "Namespace", Name: owner.Name, UID: owner.UID, Controller: ptr.To(true)}})
			reported, _ := o.DeepCopyObject().(client.Object)
			if err := cluster.Client.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			reported.SetName(o.GetName())
			reported.SetResourceVersion(o.GetResourceVersion())
			if err := cluster.Client.Status().Update(t.Context(), reported); client.IgnoreNotFound(err) != nil { // some have no status
				t.Fatal(err)
			}
			if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
				t.Fatal(err)
			}
			key, reads := client.ObjectKeyFromObject(o), 0
			read := tt.read(o)
			informed := newCache(t, "read="+name, tt.keep, func(item []byte) (runtime.Object, error) {
				reads++
				return read(item)
			})
			if err := informed.Get(t.Context(), key, reported); err != nil {
				t.Fatal(err)
			}
			want, err := tt.keep(o)
			if err != nil {
				t.Fatal(err)
			}
			reported.GetObjectKind().SetGroupVersionKind(want.(client.Object).GetObjectKind().GroupVersionKind())
			if !equality.Semantic.DeepEqual(reported, want) {
				t.Errorf("of a list\n%+v, want\n%+v", reported, want)
			}
			if reads != 1 {
				t.Errorf("%d items were read apart from their list, want 1", reads)
			}
		})
	}
}

// whole reads all of an object.
func whole(like kube.Encoded) kube.Reader { return kube.ReadParts(like) }

// newCache runs until the test ends, and has what a selector finds.
func newCache(t *testing.T, selector string, keep toolscache.TransformFunc, read kube.Reader, ways ...transport.WrapperFunc) cache.Cache {
	t.Helper()
	config := rest.CopyConfig(cluster.Config)
	config.Wrap(kube.ReadItems)
	for _, way := range ways {
		config.Wrap(way)
	}
	which, err := labels.Parse(selector)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cache.New(config, cache.Options{
		Scheme: cluster.Scheme, DefaultLabelSelector: which, DefaultTransform: keep,
		NewInformer: func(lw toolscache.ListerWatcher, kind runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
			return kube.InformInPages(lw, kind, read, func(lw toolscache.ListerWatcher) toolscache.SharedIndexInformer {
				return toolscache.NewSharedIndexInformer(lw, kind, resync, indexers)
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if !c.WaitForCacheSync(ctx) {
		t.Fatal("the cache did not begin")
	}
	return c
}

// All pages of a list make one, with whatever changes afterwards, also where nothing
// reads items apart.
func TestPagesMakeAList(t *testing.T) {
	const n = 600 // three pages
	config := rest.CopyConfig(cluster.Config)
	config.QPS = -1
	api, err := client.New(config, client.Options{Scheme: cluster.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		o := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("page-%d", i), Namespace: "default", Labels: map[string]string{"read": "pages"}},
			Data:       map[string]string{"a": "b"},
		}
		if err := api.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for name, read := range map[string]kube.Reader{"read apart": kube.ReadSums(&corev1.ConfigMap{}), "decoded": nil} {
		t.Run(name, func(t *testing.T) {
			informed := newCache(t, "read=pages", kube.Sum, read)
			var list corev1.ConfigMapList
			if err := informed.List(t.Context(), &list); err != nil {
				t.Fatal(err)
			}
			names := map[string]bool{}
			for _, o := range list.Items {
				if names[o.Name] = true; o.Data != nil {
					t.Fatalf("%s is kept whole", o.Name)
				}
			}
			if len(names) != n || len(list.Items) != n {
				t.Errorf("%d objects of %d names are listed, want %d", len(list.Items), len(names), n)
			}
		})
	}
}

// emptied counts the lists that come without items to their decoder.
type emptied struct {
	http.RoundTripper
	lists, empty *atomic.Int32
}

func (e emptied) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := e.RoundTripper.RoundTrip(request)
	if err != nil || !strings.HasSuffix(request.URL.Path, "/domains") || request.URL.Query().Has("watch") {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	if e.lists.Add(1); bytes.Contains(body, []byte(`"items":[]`)) {
		e.empty.Add(1)
	}
	return response, err
}

// Our own kinds come as JSON, and are read one by one as well.
func TestDomainsAreReadOneByOne(t *testing.T) {
	d := domain("one-by-one.example")
	d.Labels = map[string]string{"read": "one-by-one"}
	d.Spec.Workload.Settings = map[string]v1alpha1.Setting{"memoryLimit": "64M"}
	if err := cluster.Client.Create(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	var lists, empty atomic.Int32
	informed := newCache(t, "read=one-by-one", kube.Slim, nil, func(way http.RoundTripper) http.RoundTripper { return emptied{way, &lists, &empty} })
	got := &v1alpha1.Domain{}
	if err := informed.Get(t.Context(), client.ObjectKeyFromObject(d), got); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
		t.Fatal(err)
	}
	d.ManagedFields = nil
	d.TypeMeta = got.TypeMeta
	if !equality.Semantic.DeepEqual(got, d) {
		t.Errorf("of a list\n%+v, want\n%+v", got, d)
	}
	if lists.Load() != 1 || empty.Load() != 1 {
		t.Errorf("of %d lists %d came to the decoder without items, want one of one", lists.Load(), empty.Load())
	}
}
