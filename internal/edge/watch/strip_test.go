package watch

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/internal/feed"
)

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
	f := feed.New(func(*discoveryv1.EndpointSlice) {}, func(types.NamespacedName) {}, stripSlice)
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
