package kube_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/internal/kube"
)

// otherSums is a cache filled from an API server that encodes otherwise than we do.
type otherSums struct{ client.Client }

func (c otherSums) Get(ctx context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	if err := c.Client.Get(ctx, key, o); err != nil {
		return err
	}
	small, err := kube.Sum(o)
	if err != nil {
		return err
	}
	*o.(*corev1.ConfigMap) = *small.(*corev1.ConfigMap)
	o.SetSelfLink("0123456789abcdef" + o.GetSelfLink()[16:])
	return nil
}

// countedReads counts reads.
type countedReads struct {
	client.Reader
	reads int
}

func (c *countedReads) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	c.reads++
	return c.Reader.Get(ctx, key, o, options...)
}

// A sum that is not what we make of the same object costs one look at all of it, and no
// write.
func TestASumOfAnotherMakingIsKnownAfterOneLook(t *testing.T) {
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "owner-", Namespace: "default"}}
	if err := cluster.Client.Create(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	direct := &countedReads{Reader: cluster.Client}
	a := kube.Applier{Client: otherSums{cluster.Client}, Direct: direct, Owner: "kubepanel-test", Known: &kube.Known{}, Counts: &kube.Counts{}}
	for look, want := range []int{0, 1, 1, 1} { // the first makes it
		o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "other-sum", Namespace: "default"}, Data: map[string]string{"a": "b"}}
		if err := a.Apply(t.Context(), owner, o); err != nil {
			t.Fatal(err)
		}
		if direct.reads != want {
			t.Errorf("look %d read it whole %d times in all, want %d", look, direct.reads, want)
		}
	}
	if a.Counts.Created.Load() != 1 || a.Counts.Applied.Load() != 0 {
		t.Errorf("it was made %d times and applied %d times, want once and never", a.Counts.Created.Load(), a.Counts.Applied.Load())
	}
}
