package kube_test

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/internal/hosting"
)

func TestEventsAreOfThisSiteAlone(t *testing.T) {
	s := newStore(t)
	d := created(t, s, "events.example")
	now := metav1.NowMicro()
	event := func(name, message string, uid string, at metav1.MicroTime) *corev1.Event {
		return &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Namespace: "default", Name: name},
			InvolvedObject: corev1.ObjectReference{Kind: "Domain", Name: d.Name, UID: d.UID},
			Reason:         "Ready", Message: message, Type: corev1.EventTypeWarning, EventTime: at,
			ReportingController: "kubepanel.io/operator", ReportingInstance: "x", Action: "Ready",
		}
	}
	second := event("second", "second", "", now)
	second.Series = &corev1.EventSeries{Count: 4, LastObservedTime: now}
	ensure(t, second)
	ensure(t, event("first", "first", "", metav1.NewMicroTime(now.Add(-time.Minute))))
	earlier := event("earlier", "of an earlier site", "", now)
	earlier.InvolvedObject.UID = "earlier"
	ensure(t, earlier)
	got, err := s.Events(t.Context(), d)
	if err != nil || len(got) != 2 || got[0].Message != "first" || got[1].Message != "second" {
		t.Fatalf("Events = %+v, %v, want first and second", got, err)
	}
	if got[1].Count != 4 || !got[1].Warning || !got[1].Time.Equal(now.Truncate(time.Microsecond)) {
		t.Errorf("Events[1] = %+v, want what the event says", got[1])
	}
}

func TestNodesTellWhyTheyAreNotReady(t *testing.T) {
	s := newStore(t)
	condition := func(kind corev1.NodeConditionType, status corev1.ConditionStatus, message string) corev1.NodeCondition {
		return corev1.NodeCondition{Type: kind, Status: status, Message: message}
	}
	conditions := map[string][]corev1.NodeCondition{
		"a-well":    {condition(corev1.NodeMemoryPressure, "False", "enough"), condition(corev1.NodeReady, "True", "posting")},
		"b-away":    {condition(corev1.NodeDiskPressure, "True", "disk is full"), condition(corev1.NodeReady, "Unknown", "stopped posting")},
		"c-pressed": {condition(corev1.NodeReady, "True", "posting"), condition(corev1.NodeDiskPressure, "True", "disk is full")},
		"d-silent":  nil,
	}
	for name, c := range conditions {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.NodeSpec{Unschedulable: name == "c-pressed"}}
		ensure(t, n)
		n.Status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("3900m"), corev1.ResourceMemory: resource.MustParse("15Gi")}
		n.Status.NodeInfo.KubeletVersion, n.Status.Conditions = "v1.36.3", c
		if err := cluster.Client.Status().Update(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	want := []hosting.Node{
		{Name: "a-well", Version: "v1.36.3", Ready: true},
		{Name: "b-away", Version: "v1.36.3", Message: "stopped posting"},
		{Name: "c-pressed", Version: "v1.36.3", Ready: true, Message: "disk is full", Closed: true},
		{Name: "d-silent", Version: "v1.36.3", Message: "its kubelet has never reported"},
	}
	got, err := s.Nodes(t.Context())
	if err != nil || len(got) != len(want) {
		t.Fatalf("Nodes = %+v, %v", got, err)
	}
	for i := range want {
		want[i].CPU, want[i].Memory = "3900m", "15Gi"
		if got[i] != want[i] {
			t.Errorf("Nodes[%d] = %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestStorageClass(t *testing.T) {
	s := newStore(t)
	_, err := s.StorageClass(t.Context(), "")
	wantCode(t, "StorageClass without any", err, hosting.NotFound)
	ensure(t, &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "slow"}, Provisioner: "x"})
	ensure(t, &storagev1.StorageClass{Provisioner: "x", ObjectMeta: metav1.ObjectMeta{Name: "fast",
		Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}}})
	for ask, want := range map[string]string{"": "fast", "slow": "slow"} {
		if got, err := s.StorageClass(t.Context(), ask); err != nil || got != want {
			t.Errorf("StorageClass(%q) = %q, %v, want %q", ask, got, err, want)
		}
	}
	_, err = s.StorageClass(t.Context(), "gone")
	wantCode(t, "StorageClass(gone)", err, hosting.NotFound)
}

func TestWorkloadTellsWhatItsPodSays(t *testing.T) {
	s := newStore(t)
	labels := map[string]string{"app.kubernetes.io/name": "thing"}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "x"}}},
	}
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: systemNamespace, Name: name} }
	selector := &metav1.LabelSelector{MatchLabels: labels}
	two := int32(2)
	for _, o := range []client.Object{
		&appsv1.Deployment{ObjectMeta: meta("thing"), Spec: appsv1.DeploymentSpec{Replicas: &two, Selector: selector, Template: template}},
		&appsv1.StatefulSet{ObjectMeta: meta("thing"), Spec: appsv1.StatefulSetSpec{Selector: selector, Template: template}},
		&appsv1.DaemonSet{ObjectMeta: meta("thing"), Spec: appsv1.DaemonSetSpec{Selector: selector, Template: template}},
	} {
		ensure(t, o)
	}
	pod := &corev1.Pod{ObjectMeta: meta("thing-0"), Spec: template.Spec}
	pod.Labels = labels
	ensure(t, pod)
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "a", State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "no such image"}}}}
	if err := cluster.Client.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	want := map[string]hosting.Workload{
		"Deployment":  {Want: 2, Problem: "pod thing-0: ErrImagePull: no such image"},
		"StatefulSet": {Want: 1, Problem: "pod thing-0: ErrImagePull: no such image"},
		"DaemonSet":   {}, // nothing is scheduled, so nothing is missing
	}
	for kind, want := range want {
		got, err := s.Workload(t.Context(), hosting.WorkloadName{Kind: kind, Namespace: systemNamespace, Name: "thing"})
		if err != nil || got != want {
			t.Errorf("Workload(%s) = %+v, %v, want %+v", kind, got, err, want)
		}
	}
	_, err := s.Workload(t.Context(), hosting.WorkloadName{Kind: "Deployment", Namespace: systemNamespace, Name: "none"})
	wantCode(t, "Workload(none)", err, hosting.NotFound)
}
