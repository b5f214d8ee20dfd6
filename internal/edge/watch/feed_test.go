package watch

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

func service(name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name}}
}

func TestFeedTellsWhatANewListLeavesOut(t *testing.T) {
	var log []string
	f := newFeed(
		func(s *corev1.Service) { log = append(log, "put "+s.Name) },
		func(n types.NamespacedName) { log = append(log, "remove "+n.String()) },
		stripService,
	)
	check := func(step string, err error, want ...string) {
		t.Helper()
		if err != nil || !slices.Equal(log, want) {
			t.Errorf("%s = %q (%v), want %q", step, log, err, want)
		}
		log = nil
	}
	select {
	case <-f.synced:
		t.Error("synced before the first list")
	default:
	}
	check("first list", f.Replace([]any{service("one"), service("two")}, "1"), "put one", "put two")
	<-f.synced
	check("add", f.Add(service("three")), "put three")
	check("delete", f.Delete(service("two")), "remove a/two")
	check("list after a gap", f.Replace([]any{service("three"), service("four")}, "9"), "put three", "put four", "remove a/one")
	check("another kind", f.Add(&corev1.Pod{}))
}

func TestStripKeepsWhatRoutingReads(t *testing.T) {
	es := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Labels:        map[string]string{discoveryv1.LabelServiceName: "shop", "other": "x"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m"}},
		},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{"10.0.0.1"}, NodeName: ptr.To("node"), TargetRef: &corev1.ObjectReference{Name: "pod"},
			Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
		}},
	}
	f := newFeed(func(*discoveryv1.EndpointSlice) {}, func(types.NamespacedName) {}, stripSlice)
	if _, err := f.Transformer()(es); err != nil {
		t.Fatal(err)
	}
	e := es.Endpoints[0]
	if es.Labels[discoveryv1.LabelServiceName] != "shop" || len(e.Addresses) != 1 || !*e.Conditions.Ready {
		t.Errorf("stripped slice = %v, want its Service, addresses and conditions", es)
	}
	if len(es.Labels) != 1 || es.ManagedFields != nil || e.NodeName != nil || e.TargetRef != nil {
		t.Errorf("stripped slice = %v, want nothing that routing does not read", es)
	}
}
