package kube_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/internal/hosting"
)

// A log that can't be there is told from the state of the pod.
func TestLogThatIsNotThere(t *testing.T) {
	s := newStore(t)
	const namespace = "dom-log-example"
	at := hosting.LogPlace{Namespace: namespace, Container: "app", Labels: map[string]string{"app.kubernetes.io/component": "site"}}
	read := func(at hosting.LogPlace) error {
		return s.ReadLog(t.Context(), at, func(time.Time, string) error { return nil })
	}
	wantCode(t, "the log of a site without a pod", read(at), hosting.Conflict, "No program runs")
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "site-1", Labels: at.Labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app"}}},
	}
	ensure(t, pod)
	wantCode(t, "the log of a pod that has not started", read(at), hosting.Conflict, "has not started")
	state := func(c corev1.ContainerStatus) {
		t.Helper()
		c.Name = "app"
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{c}
		if err := cluster.Client.Status().Update(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
	}
	state(corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}})
	wantCode(t, "the log of a container that has not started", read(at), hosting.Conflict, "has not started")
	state(corev1.ContainerStatus{ContainerID: "containerd://1"})
	previous := at
	previous.Previous = true
	wantCode(t, "the earlier log of a container that never ended", read(previous), hosting.Conflict, "has not ended")
	if err := read(at); err != nil { // on no node: the API server answers itself
		t.Errorf("the log of a pod that is on no node = %v, want an empty one", err)
	}
}
