package domain_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// Fault of the original: a change of one site's configuration restarted every site.
func disturbsNoNeighbour(t *testing.T, w *world) {
	const neighbour = "ready.example"
	template := func() (int64, string) {
		d := get(t, &appsv1.Deployment{}, desired.Namespace(neighbour), desired.ObjectName(neighbour))
		return d.Generation, d.ResourceVersion
	}
	generation, version := template()
	noisy := newDomain("noisy.example")
	w.create(t, noisy)
	w.condition(t, noisy.Name, v1alpha1.ConditionServiceReady, metav1.ConditionTrue, "")
	w.change(t, noisy.Name, func(d *v1alpha1.Domain) {
		d.Spec.Webserver.CustomConfig = "add_header X-Noise yes;"
		d.Spec.Workload.Settings = map[string]v1alpha1.Setting{"memoryLimit": "77M"}
	})
	w.condition(t, noisy.Name, v1alpha1.ConditionConfigMapReady, metav1.ConditionTrue, "")
	w.touch(t, neighbour, "noise")
	w.condition(t, neighbour, v1alpha1.ConditionServiceReady, metav1.ConditionTrue, "")
	if g, v := template(); g != generation || v != version {
		t.Errorf("the neighbour's Deployment went from generation %d (%s) to %d (%s)", generation, version, g, v)
	}
}

// Fault of the original: international names fell through.
func internationalName(t *testing.T, w *world) {
	d := newDomain("xn--mller-kva.xn--p1ai")
	w.create(t, d)
	w.condition(t, d.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	w.serve(t, d.Name)
	w.condition(t, d.Name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}
