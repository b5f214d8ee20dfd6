package lab

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

func seen(t *testing.T, conditions ...metav1.Condition) *unstructured.Unstructured {
	t.Helper()
	d := &v1alpha1.Domain{Status: v1alpha1.DomainStatus{Conditions: conditions}}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(d)
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: object}
}

func TestStepsAreTimedWhenTheyBecomeTrue(t *testing.T) {
	parts := map[string]time.Duration{}
	pvc := metav1.Condition{Type: v1alpha1.ConditionPVCReady, Status: metav1.ConditionTrue}
	pod := metav1.Condition{Type: v1alpha1.ConditionDeploymentReady, Status: metav1.ConditionFalse}
	ready := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}
	noteConditions(parts, seen(t, pvc, pod, ready), 1*time.Second)
	pod.Status = metav1.ConditionTrue
	noteConditions(parts, seen(t, pvc, pod, ready), 2*time.Second)
	if len(parts) != 2 || parts[pvc.Type] != time.Second || parts[pod.Type] != 2*time.Second {
		t.Errorf("parts = %v, want the volume at 1 s, the pod at 2 s and no summary", parts)
	}
	pvc.Status = metav1.ConditionFalse
	noteConditions(parts, seen(t, pvc, pod), 3*time.Second)
	pvc.Status = metav1.ConditionTrue
	noteConditions(parts, seen(t, pvc, pod), 4*time.Second)
	if parts[pvc.Type] != 4*time.Second {
		t.Errorf("a step that fell back is timed at %s, want 4s", parts[pvc.Type])
	}
	table := steps{total: 5 * time.Second, parts: parts}.table()
	if strings.Index(table, pod.Type) > strings.Index(table, pvc.Type) || !strings.HasSuffix(table, "5.00 s\n") {
		t.Errorf("the table is not in the order of what happened:\n%s", table)
	}
}
