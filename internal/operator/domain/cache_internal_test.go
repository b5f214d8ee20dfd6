package domain

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// A pod in the cache still says what it was told: without that every look while it
// takes a configuration over would tell it once more.
func TestAPodInTheCacheSaysWhatItWasTold(t *testing.T) {
	whole := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod", Annotations: map[string]string{
		v1alpha1.AnnotationConfigWanted: "a1-2", v1alpha1.AnnotationDomainName: "blog.example", "of.others/note": "long",
	}}}
	kept, err := slimPod(whole)
	if err != nil {
		t.Fatal(err)
	}
	r := &Reconciler{} // without a client: asking for anything would panic
	if err := r.nudge(t.Context(), kept.(*corev1.Pod), "a1", nudges[0]); err != nil {
		t.Error(err)
	}
	if _, ok := kept.(*corev1.Pod).Annotations["of.others/note"]; ok {
		t.Error("the cache keeps what nobody reads")
	}
}
