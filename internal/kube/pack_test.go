package kube

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

func TestPackedObjectsAreWholeAgain(t *testing.T) {
	meta := func(version string) metav1.ObjectMeta {
		return metav1.ObjectMeta{
			Name: "site", Namespace: "dom-site", UID: "1", ResourceVersion: version, Generation: 3,
			Labels: map[string]string{"a": "b", "c": ""}, Annotations: map[string]string{AnnotationApplied: "x"},
			CreationTimestamp: metav1.Unix(1e9, 0), DeletionTimestamp: ptr.To(metav1.Unix(2e9, 0)), Finalizers: []string{"f"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v", Kind: "Domain", Name: "d", UID: "2", Controller: ptr.To(true)}},
		}
	}
	kinds := map[string]func(version string) client.Object{
		"Deployment": func(version string) client.Object {
			return &appsv1.Deployment{
				ObjectMeta: meta(version),
				Spec:       appsv1.DeploymentSpec{Replicas: ptr.To[int32](0), Selector: &metav1.LabelSelector{}},
				Status:     appsv1.DeploymentStatus{Replicas: 2},
			}
		},
		"ConfigMap": func(version string) client.Object {
			return &corev1.ConfigMap{ObjectMeta: meta(version), Data: map[string]string{"k": "v", "empty": ""}}
		},
		"Namespace": func(version string) client.Object {
			return &corev1.Namespace{ObjectMeta: meta(version), Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}
		},
	}
	for name, build := range kinds {
		t.Run(name, func(t *testing.T) {
			small := pack(t, build("7"))
			if small.GetName() != "site" || small.GetNamespace() != "dom-site" || small.GetUID() != "1" || small.GetResourceVersion() != "7" ||
				!metav1.IsControlledBy(small, &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{UID: "2"}}) {
				t.Errorf("a cache can't tell who it is or whose: %+v", small)
			}
			if again := pack(t, small); again != small {
				t.Error("packing twice packs what is packed")
			}
			if err := unpack(small); err != nil {
				t.Fatal(err)
			}
			if want := build("7"); !equality.Semantic.DeepEqual(small, want) {
				t.Errorf("unpacked = %+v, want %+v", small, want)
			}
		})
	}
}

func TestWhatHasNoEncodingStaysAsItIs(t *testing.T) {
	d := &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
	if small := pack(t, d); small != client.Object(d) || unpack(small) != nil || d.Name != "a" {
		t.Errorf("a Domain became %+v", small)
	}
}

func pack(t *testing.T, o client.Object) client.Object {
	t.Helper()
	out, err := Pack(o)
	if err != nil {
		t.Fatal(err)
	}
	return out.(client.Object)
}
