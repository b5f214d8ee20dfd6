package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// nodes gives the town two nodes without a kubelet: one that is being drained, and one
// that no longer answers. It returns the addresses of their pages.
func (t *town) nodes() []string {
	t.Helper()
	drained := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-1"}, Spec: corev1.NodeSpec{Unschedulable: true}}
	silent := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-2"}}
	for node, ready := range map[*corev1.Node]corev1.ConditionStatus{drained: corev1.ConditionTrue, silent: corev1.ConditionUnknown} {
		t.make(node)
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready, Reason: "NodeStatusUnknown", Message: "Kubelet stopped posting node status."}}
		node.Status.NodeInfo = corev1.NodeSystemInfo{KubeletVersion: "v1.34.0", OSImage: "Debian GNU/Linux 13", ContainerRuntimeVersion: "containerd://2.1.0"}
		must(t, cluster.Client.Status().Update(t.Context(), node))
	}
	m := &v1alpha1.NodeMaintenance{ObjectMeta: metav1.ObjectMeta{Name: drained.Name}, Spec: v1alpha1.NodeMaintenanceSpec{Drain: true, Reason: "a new disk"}}
	t.make(m)
	left := int32(3)
	m.Status = v1alpha1.NodeMaintenanceStatus{Pods: 4, PodsLeft: &left}
	for kind, status := range map[string]metav1.ConditionStatus{v1alpha1.ConditionNodeClosed: metav1.ConditionTrue, v1alpha1.ConditionNodeDrained: metav1.ConditionFalse,
		v1alpha1.ConditionReady: metav1.ConditionFalse} {
		m.Status.Conditions = append(m.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: "Draining", Message: "3 of 4 pods are left.",
			LastTransitionTime: metav1.Now()})
	}
	must(t, cluster.Client.Status().Update(t.Context(), m))
	return []string{"/platform/nodes", "/platform/nodes/worker-1", "/platform/nodes/worker-2"}
}

// make makes an object for as long as the test lasts.
func (t *town) make(o client.Object) {
	t.Helper()
	must(t, cluster.Client.Create(t.Context(), o))
	t.Cleanup(func() { must(t, client.IgnoreNotFound(cluster.Client.Delete(context.WithoutCancel(t.Context()), o))) })
}
