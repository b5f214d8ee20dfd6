package kube_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/kube"
)

// What another process found right is right as long as nobody changed it, whatever the
// API server added to it or its controllers write.
func TestADigestTellsWhetherSomebodyChangedSomething(t *testing.T) {
	tests := map[string]struct {
		edit func(t *testing.T, o client.Object)
		same bool
	}{
		"nothing": {func(*testing.T, client.Object) {}, true},
		"what a controller notes": {func(_ *testing.T, o client.Object) {
			o.SetAnnotations(map[string]string{
				"example.com/note": "a", v1alpha1.AnnotationUsedBytes: "1", v1alpha1.AnnotationRoomBytes: "1", kube.AnnotationApplied: o.GetAnnotations()[kube.AnnotationApplied],
			})
		}, true},
		"a field":          {func(_ *testing.T, o client.Object) { service(o).Spec.Selector["a"] = "other" }, false},
		"a field we leave": {func(_ *testing.T, o client.Object) { service(o).Spec.SessionAffinity = corev1.ServiceAffinityClientIP }, false},
		"a label":          {func(_ *testing.T, o client.Object) { o.SetLabels(map[string]string{"a": "other"}) }, false},
		"a note of ours":   {func(_ *testing.T, o client.Object) { o.GetAnnotations()[kube.AnnotationApplied] = "forged" }, false},
		"that it is the same one": {func(t *testing.T, o client.Object) {
			if err := cluster.Client.Delete(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			o.SetUID("")
			o.SetResourceVersion("")
			service(o).Spec.ClusterIP, service(o).Spec.ClusterIPs = "", nil
			if err := cluster.Client.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			// It is there: what belongs to nobody is garbage, and collected.
			owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "owner-", Namespace: "default"}}
			if err := cluster.Client.Create(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := cluster.Client.Delete(context.WithoutCancel(t.Context()), owner); err != nil {
					t.Error(err)
				}
			})
			a := kube.Applier{Client: cluster.Client, Direct: cluster.Client, Owner: "kubepanel-test", Known: &kube.Known{}}
			key := client.ObjectKey{Name: "digest", Namespace: "default"}
			names := []desired.Name{{Kind: &corev1.Service{}, NamespacedName: key}}
			if got, err := a.Digest(t.Context(), owner, names); got != "" || err != nil {
				t.Fatalf("what is not there has the digest %q, %v", got, err)
			}
			o := &corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Name: key.Name, Namespace: key.Namespace},
				Spec:       corev1.ServiceSpec{Selector: map[string]string{"a": "b"}, Ports: []corev1.ServicePort{{Port: 80}}},
			}
			if err := a.Apply(t.Context(), owner, o); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { // the next one makes it anew; the test's own context has ended
				if err := cluster.Client.Delete(context.WithoutCancel(t.Context()), o); err != nil {
					t.Error(err)
				}
			})
			digest, err := a.Digest(t.Context(), owner, names)
			if digest == "" || err != nil {
				t.Fatalf("the digest is %q, %v", digest, err)
			}

			version := o.ResourceVersion
			tt.edit(t, o)
			if o.ResourceVersion == version {
				if err := cluster.Client.Update(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
			a.Known = &kube.Known{} // as another process
			if got, err := a.Digest(t.Context(), owner, names); got != "" || err != nil {
				t.Errorf("before it is confirmed the digest is %q, %v", got, err)
			}
			if same, err := a.Confirm(t.Context(), owner, digest, names); same != tt.same || err != nil {
				t.Errorf("Confirm = %t, %v, want %t", same, err, tt.same)
			}
			want := ""
			if tt.same {
				want = digest
			}
			if got, err := a.Digest(t.Context(), owner, names); got != want || err != nil {
				t.Errorf("confirmed, the digest is %q, %v, want %q", got, err, want)
			}
			a.Known.Forget(owner.UID)
			if got, err := a.Digest(t.Context(), owner, names); got != "" || err != nil {
				t.Errorf("forgotten, the digest is %q, %v", got, err)
			}
		})
	}
}

func service(o client.Object) *corev1.Service { return o.(*corev1.Service) }
