package domain_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
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
