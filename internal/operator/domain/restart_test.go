package domain_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

func restarts(t *testing.T, w *world) {
	const name, ns, site = "ready.example", "dom-ready-example", "ready-example"
	before := get(t, &appsv1.Deployment{}, ns, site).Generation
	w.change(t, name, func(d *v1alpha1.Domain) {
		metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.AnnotationRestartedAt, "at noon")
	})
	eventually(t, func() error {
		d, status := get(t, &appsv1.Deployment{}, ns, site), get(t, &v1alpha1.Domain{}, "", name).Status
		at := d.Spec.Template.Annotations[v1alpha1.AnnotationRestartedAt]
		if at != "at noon" || d.Generation == before || status.RestartedAt != "at noon" {
			return errorf("the pod's template says %q at generation %d, the Domain's status %q", at, d.Generation, status.RestartedAt)
		}
		return nil
	})
	// Who waits must not take the old pod for the new one.
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionFalse, "")
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}
