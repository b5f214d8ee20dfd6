package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// stored is what the API server makes of an object that was sealed: metadata and a
// status of its own, and the note of who made it.
func stored(t *testing.T, version string, edit func(*networkingv1.Ingress)) *networkingv1.Ingress {
	t.Helper()
	o := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{
			Name: "site", Namespace: "dom-site", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v", Kind: "Domain", Name: "d", UID: "2", Controller: ptr.To(true)}},
		},
		Spec: networkingv1.IngressSpec{IngressClassName: ptr.To("kubepanel")},
	}
	if err := seal(o); err != nil {
		t.Fatal(err)
	}
	o.UID, o.ResourceVersion, o.Generation, o.CreationTimestamp = "1", version, 3, metav1.Unix(1e9, 0)
	o.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "m"}}
	o.Annotations[AnnotationMade] = "true"
	o.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	if edit != nil {
		edit(o)
	}
	return o
}

func summedOf(t *testing.T, o client.Object) client.Object {
	t.Helper()
	out, err := Sum(o)
	if err != nil {
		t.Fatal(err)
	}
	return out.(client.Object)
}

func TestASumTellsWhatSomebodyChanged(t *testing.T) {
	tests := map[string]struct {
		edit          func(*networkingv1.Ingress)
		intact, alike bool
	}{
		"nothing":               {func(*networkingv1.Ingress) {}, true, true},
		"the status":            {func(o *networkingv1.Ingress) { o.Status.LoadBalancer.Ingress = nil }, true, true},
		"who wrote which":       {func(o *networkingv1.Ingress) { o.ManagedFields = nil }, true, true},
		"that it is applied":    {func(o *networkingv1.Ingress) { delete(o.Annotations, AnnotationMade) }, true, false},
		"a field":               {func(o *networkingv1.Ingress) { o.Spec.IngressClassName = ptr.To("other") }, false, false},
		"a field we leave out":  {func(o *networkingv1.Ingress) { o.Spec.TLS = []networkingv1.IngressTLS{{}} }, false, false},
		"a label":               {func(o *networkingv1.Ingress) { o.Labels["a"] = "other" }, false, false},
		"an annotation more":    {func(o *networkingv1.Ingress) { o.Annotations["e"] = "f" }, true, true},
		"an annotation of ours": {func(o *networkingv1.Ingress) { o.Annotations[v1alpha1.AnnotationSuspended] = "true" }, false, false},
		"an owner less":         {func(o *networkingv1.Ingress) { o.OwnerReferences = nil }, false, false},
		"what was applied":      {func(o *networkingv1.Ingress) { o.Annotations[AnnotationApplied] = "x" }, false, false},
		"that it is removed":    {func(o *networkingv1.Ingress) { o.DeletionTimestamp = ptr.To(metav1.Unix(2e9, 0)) }, true, false},
		"that it is another":    {func(o *networkingv1.Ingress) { o.UID = "3" }, true, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before, after := summedOf(t, stored(t, "7", nil)), summedOf(t, stored(t, "8", tt.edit))
			is, err := stateOf(after)
			if err != nil {
				t.Fatal(err)
			}
			if got := (Applier{}).intact(nil, after.GetUID(), is); got != tt.intact {
				t.Errorf("intact = %t, want %t: %v", got, tt.intact, after.GetSelfLink())
			}
			if got := Alike(before, after); got != tt.alike {
				t.Errorf("alike = %t, want %t: %v", got, tt.alike, after.GetSelfLink())
			}
		})
	}
}

func TestASumKeepsWhatACacheIsAskedFor(t *testing.T) {
	live := summedOf(t, stored(t, "7", nil)).(*networkingv1.Ingress)
	if live.Name != "site" || live.Namespace != "dom-site" || live.UID != "1" || live.ResourceVersion != "7" || metav1.GetControllerOf(live).UID != "2" {
		t.Errorf("it does not tell who it is or whose: %+v", live)
	}
	if live.Spec.IngressClassName != nil || live.Labels != nil {
		t.Errorf("it keeps what nobody asks for: %+v", live)
	}
	if summedOf(t, live) != client.Object(live) {
		t.Error("a sum of it is another one")
	}
	want := stored(t, "", nil)
	if err := share(live, want); err != nil || len(want.Status.LoadBalancer.Ingress) != 1 || want.Spec.IngressClassName == nil {
		t.Errorf("shared, what was wanted is %+v, want it with the status and its own content (%v)", want, err)
	}
}

// Who changes an object can't hide it from us behind a sum of his own.
func TestAForgedSumIsNotBelieved(t *testing.T) {
	forged := stored(t, "8", func(o *networkingv1.Ingress) {
		o.Spec.IngressClassName = ptr.To("other")
		o.SetSelfLink(marksOf(o, o.Annotations[AnnotationApplied]))
	})
	if summed(forged) {
		t.Error("an object with a forged sum counts as one of the cache's own")
	}
	live := summedOf(t, forged)
	if is, err := stateOf(live); err != nil || (Applier{}).intact(nil, live.GetUID(), is) {
		t.Errorf("a change behind a forged sum is not seen: %v", live.GetSelfLink())
	}
}

func TestWhatIsNoObjectIsNotSummed(t *testing.T) {
	if out, err := Sum(&corev1.ConfigMapList{}); err != nil || out == nil {
		t.Errorf("Sum(a list) = %v, %v", out, err)
	}
}
