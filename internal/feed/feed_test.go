package feed_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubepanel.io/kubepanel/internal/feed"
)

func service(name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name}}
}

func TestFeedTellsWhatANewListLeavesOut(t *testing.T) {
	var log []string
	f := feed.New(
		func(s *corev1.Service) { log = append(log, "put "+s.Name) },
		func(n types.NamespacedName) { log = append(log, "remove "+n.String()) },
		func(*corev1.Service) {},
	)
	check := func(step string, err error, want ...string) {
		t.Helper()
		if err != nil || !slices.Equal(log, want) {
			t.Errorf("%s = %q (%v), want %q", step, log, err, want)
		}
		log = nil
	}
	select {
	case <-f.Synced():
		t.Error("synced before the first list")
	default:
	}
	check("first list", f.Replace([]any{service("one"), service("two")}, "1"), "put one", "put two")
	<-f.Synced()
	check("add", f.Add(service("three")), "put three")
	check("delete", f.Delete(service("two")), "remove a/two")
	check("list after a gap", f.Replace([]any{service("three"), service("four")}, "9"), "put three", "put four", "remove a/one")
	check("another kind", f.Add(&corev1.Pod{}))
}
