package kube_test

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/internal/kube"
)

// What an object was made with is ours to take away, as what it was applied with is,
// and what others wrote stays.
func TestFieldsThatAreWantedNoMoreGo(t *testing.T) {
	a := kube.Applier{Client: cluster.Client, Direct: cluster.Client, Owner: "kubepanel-test", Counts: &kube.Counts{}}
	ways := map[string]func(o client.Object) error{
		"made by apply": func(o client.Object) error { return a.Apply(t.Context(), nil, o) },
		"made by create": func(o client.Object) error {
			created, err := a.Create(t.Context(), nil, o)
			if err == nil && !created {
				t.Fatal("it exists already")
			}
			return err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			object := func(data map[string]string) *corev1.ConfigMap {
				return &corev1.ConfigMap{
					ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(name, " ", "-"), Namespace: "default", Labels: data},
					Data:       maps.Clone(data),
				}
			}
			first := object(map[string]string{"stays": "a", "goes": "a"})
			if err := way(first); err != nil {
				t.Fatal(err)
			}
			if first.Annotations[kube.AnnotationMade] == "" {
				t.Error("it does not say that it was made and not applied")
			}
			theirs := client.RawPatch("application/merge-patch+json", []byte(`{"data":{"theirs":"a"}}`))
			if err := cluster.Client.Patch(t.Context(), first, theirs, client.FieldOwner("somebody")); err != nil {
				t.Fatal(err)
			}
			for _, want := range []map[string]string{{"stays": "a", "goes": "b"}, {"stays": "b"}} {
				next := object(want)
				if err := a.Apply(t.Context(), nil, next); err != nil {
					t.Fatal(err)
				}
				if next.Annotations[kube.AnnotationMade] != "" {
					t.Error("it still says that it was made and not applied")
				}
				if !maps.Equal(next.Labels, want) {
					t.Errorf("labels = %v, want %v", next.Labels, want)
				}
				want["theirs"] = "a"
				if !maps.Equal(next.Data, want) {
					t.Errorf("data = %v, want %v", next.Data, want)
				}
			}
			before := a.Counts.Unchanged.Load()
			again := object(map[string]string{"stays": "b"})
			if err := a.Apply(t.Context(), nil, again); err != nil || a.Counts.Unchanged.Load() != before+1 {
				t.Errorf("applied again = %v, and it was not left alone", err)
			}
		})
	}
}

// A Service keeps its address for good, and what asks its pods finds them meanwhile: it
// stays the same object.
func TestAServiceGivesItsAddressUp(t *testing.T) {
	a := kube.Applier{Client: cluster.Client, Direct: cluster.Client, Owner: "kubepanel-test", Counts: &kube.Counts{}}
	service := func(address string) *corev1.Service {
		return &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "gives-up", Namespace: "default"},
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeClusterIP, ClusterIP: address, Selector: map[string]string{"a": "b"},
				IPFamilyPolicy: ptr.To(corev1.IPFamilyPolicyPreferDualStack),
				Ports:          []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(8080)}},
			},
		}
	}
	first := service("")
	if err := a.Apply(t.Context(), nil, first); err != nil {
		t.Fatal(err)
	}
	if len(first.Spec.ClusterIPs) != 2 {
		t.Fatalf("its addresses are %q at first, want one of each family", first.Spec.ClusterIPs)
	}
	got := service(corev1.ClusterIPNone)
	got.Spec.Ports[0].Port = 1 << 16
	if err := a.Apply(t.Context(), nil, got); !apierrors.IsInvalid(err) {
		t.Errorf("a port beyond all = %v, want that it is refused", err)
	}
	if _, err := a.Live(t.Context(), got); err != nil || len(got.Spec.ClusterIPs) != 2 {
		t.Errorf("what was refused left it with the addresses %q (%v)", got.Spec.ClusterIPs, err)
	}
	got = service(corev1.ClusterIPNone)
	if err := a.Apply(t.Context(), nil, got); err != nil {
		t.Fatal(err)
	}
	if got.UID != first.UID || got.Spec.ClusterIP != corev1.ClusterIPNone || got.Spec.Type != corev1.ServiceTypeClusterIP || got.Spec.ExternalName != "" || len(got.Spec.Ports) != 1 || len(got.Spec.IPFamilies) != 2 {
		t.Errorf("it became %+v of %s, want %s without an address", got.Spec, got.UID, first.UID)
	}
	if err := a.Apply(t.Context(), nil, service(corev1.ClusterIPNone)); err != nil || a.Counts.Unchanged.Load() != 1 {
		t.Errorf("applied again = %v, and it was not left alone", err)
	}
}

// Others write an object at the very moment in which its fields are taken over, as
// Kubernetes does when it binds a volume.
func TestTakingFieldsOverWaitsForOthers(t *testing.T) {
	direct := &crowd{Reader: cluster.Client, left: 2}
	a := kube.Applier{Client: cluster.Client, Direct: direct, Owner: "kubepanel-test"}
	object := func(value string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "crowded", Namespace: "default"}, Data: map[string]string{"a": value}}
	}
	if err := a.Apply(t.Context(), nil, object("1")); err != nil {
		t.Fatal(err)
	}
	next := object("2")
	if err := a.Apply(t.Context(), nil, next); err != nil {
		t.Fatal(err)
	}
	if next.Data["a"] != "2" || direct.left != 0 {
		t.Errorf("data = %v with %d writes of others to come", next.Data, direct.left)
	}
}

// crowd has somebody write an object right after it was read.
type crowd struct {
	client.Reader
	left int
}

func (c *crowd) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if err := c.Reader.Get(ctx, key, o, opts...); err != nil || c.left == 0 {
		return err
	}
	c.left--
	theirs := o.DeepCopyObject().(client.Object)
	theirs.SetAnnotations(map[string]string{"example.com/left": strconv.Itoa(c.left), kube.AnnotationMade: "true"})
	return cluster.Client.Update(ctx, theirs)
}
