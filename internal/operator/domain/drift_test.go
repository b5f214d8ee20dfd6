package domain_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Labels, annotations and keys of other tools on our objects are nobody's business:
// they stay and cost no write, and beside them what is ours is still mended.
func othersMayAdd(t *testing.T, w *world) {
	const name, ns = "ready.example", "dom-ready-example"
	key := client.ObjectKey{Namespace: ns, Name: "app-config"}
	edit := func(change func(*corev1.ConfigMap)) {
		t.Helper()
		err := retry.OnError(retry.DefaultRetry, apierrors.IsConflict, func() error {
			o := get(t, &corev1.ConfigMap{}, ns, key.Name)
			change(o)
			return cluster.Client.Update(t.Context(), o)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	before := w.writes.count()
	edit(func(o *corev1.ConfigMap) {
		metav1.SetMetaDataLabel(&o.ObjectMeta, "example.com/team", "blue")
		o.Data["theirs"] = "stays"
	})
	w.touch(t, name, "others may add")
	time.Sleep(200 * time.Millisecond) // time in which a write would come
	if made := w.writes.since(before, name); len(made) != 0 {
		t.Errorf("what others added made %d writes, want none: %q", len(made), made)
	}

	edit(func(o *corev1.ConfigMap) { o.Data["zz-kubepanel.ini"] = "; emptied by hand\n" })
	eventually(t, func() error {
		var o corev1.ConfigMap
		if err := cluster.Client.Get(t.Context(), key, &o); err != nil {
			return err
		}
		if len(o.Data["zz-kubepanel.ini"]) < 50 || o.Data["theirs"] != "stays" || o.Labels["example.com/team"] != "blue" {
			return errorf("php.ini has %d bytes, theirs = %q, labels = %v", len(o.Data["zz-kubepanel.ini"]), o.Data["theirs"], o.Labels)
		}
		return nil
	})
	edit(func(o *corev1.ConfigMap) {
		delete(o.Labels, "example.com/team")
		delete(o.Data, "theirs")
	})
}

// What an earlier version made goes when a site is next looked at as a whole; what
// somebody else gave the same name stays.
func removesFormer(t *testing.T, w *world) {
	const name, ns = "ready.example", "dom-ready-example"
	d := get(t, &v1alpha1.Domain{}, "", name)
	makes := func(o client.Object, object string) {
		t.Helper()
		o.SetName(object)
		o.SetNamespace(ns)
		o.SetLabels(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelDomain: "ready-example"})
		if object != "cron" {
			o.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(d, v1alpha1.GroupVersion.WithKind("Domain"))})
		}
		if err := cluster.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	makes(&corev1.LimitRange{}, "site")
	makes(&networkingv1.NetworkPolicy{}, "default-deny")
	makes(&networkingv1.NetworkPolicy{}, "cron")
	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Timezone = "Asia/Tokyo" })
	eventually(t, func() error { return gone(t, &corev1.LimitRange{}, ns, "site") })
	eventually(t, func() error { return gone(t, &networkingv1.NetworkPolicy{}, ns, "default-deny") })
	theirs := get(t, &networkingv1.NetworkPolicy{}, ns, "cron")
	if err := cluster.Client.Delete(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
}
