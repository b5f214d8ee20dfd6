package maintenance_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// onDisk gives a pod a volume that is on its node's own disk.
func (y *yard) onDisk(namespace, name string) func(*corev1.Pod) {
	y.Helper()
	room := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-" + name}, Spec: corev1.PersistentVolumeSpec{
		Capacity: room, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "csi.kubepanel.io", VolumeHandle: name}},
		NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{
			{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{y.node}}}},
		}}},
	}}
	y.make(volume)
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: volume.Spec.AccessModes, Resources: corev1.VolumeResourceRequirements{Requests: room}, VolumeName: volume.Name,
	}}
	y.make(claim)
	y.Cleanup(func() {
		for _, o := range []client.Object{claim, volume} {
			o.SetFinalizers(nil) // no controller takes off those that protect it
			y.must(cluster.Client.Update(context.Background(), o))
			y.must(client.IgnoreNotFound(cluster.Client.Delete(context.Background(), o)))
		}
	})
	return func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}}
	}
}

// drained wants it told as done, with these pods named as those that stay.
func (y *yard) drained(m *v1alpha1.NodeMaintenance, stay ...string) {
	y.Helper()
	y.said(m, v1alpha1.ConditionNodeDrained, "SomeStay")
	c := meta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionNodeDrained)
	for _, name := range stay {
		if !strings.Contains(c.Message, name) {
			y.Errorf("the condition says %q, want it to name %s", c.Message, name)
		}
	}
	if !meta.IsStatusConditionTrue(m.Status.Conditions, v1alpha1.ConditionReady) || *m.Status.PodsLeft != 0 {
		y.Errorf("%d pods are left and Ready is %+v, want none and true", *m.Status.PodsLeft, m.Status.Conditions)
	}
}

// A site whose files only this node has goes on answering, as do MariaDB and the panel:
// sent away they would wait for the node that they came from.
func TestPodWhoseVolumeIsOnTheNodeStays(t *testing.T) {
	y := newYard(t, "worker-h")
	y.join("worker-i")
	y.pod(platformNS, "mariadb", y.onDisk(platformNS, "mariadb"))
	disk := y.onDisk("default", "rooted")
	y.pod("default", "rooted", func(p *corev1.Pod) { isSite(p); disk(p) })
	y.pod("default", "free", isSite)
	y.ask("worker-h", v1alpha1.NodeMaintenanceSpec{Drain: true})
	y.look("worker-h")
	if !y.leaving("default", "free") || y.leaving("default", "rooted") || y.leaving(platformNS, "mariadb") {
		t.Error("want the site sent away that another node can take, and nothing else")
	}
	y.end("default", "free")
	m := y.look("worker-h")
	y.said(m, v1alpha1.ConditionNodeDrained, "NoOtherNode")
	if *m.Status.PodsLeft != 1 || m.Status.Pods != 2 {
		t.Errorf("%d of %d pods are left, want 1 of 2", *m.Status.PodsLeft, m.Status.Pods)
	}
	m.Spec.TakeDown = true
	y.must(cluster.Client.Update(t.Context(), m))
	y.look("worker-h")
	if !y.leaving("default", "rooted") || y.leaving(platformNS, "mariadb") {
		t.Error("want the site ended, as was asked, and MariaDB left")
	}
	y.end("default", "rooted")
	y.drained(y.look("worker-h"), platformNS+"/mariadb")
}

// On the only node the sites are taken down on request; what would open it again stays.
func TestOnlyNodeIsDrainedOfSitesAlone(t *testing.T) {
	y := newYard(t, "worker-j")
	y.pod("default", "site", isSite)
	y.pod(platformNS, "operator", nil)
	y.pod("kube-system", "coredns", nil)
	y.ask("worker-j", v1alpha1.NodeMaintenanceSpec{Drain: true, TakeDown: true})
	y.said(y.look("worker-j"), v1alpha1.ConditionNodeDrained, "Draining")
	if !y.leaving("default", "site") {
		t.Error("the site was not taken down")
	}
	y.end("default", "site")
	y.drained(y.look("worker-j"), platformNS+"/operator", "kube-system/coredns")
	if y.leaving(platformNS, "operator") || y.leaving("kube-system", "coredns") {
		t.Error("a pod was sent away that no node could take")
	}
}

// A node with a taint, as a control plane has one, takes only what tolerates it.
func TestTaintedNodeTakesWhatToleratesIt(t *testing.T) {
	y := newYard(t, "worker-k")
	y.join("control-plane")
	n := &corev1.Node{}
	y.must(cluster.Client.Get(t.Context(), client.ObjectKey{Name: "control-plane"}, n))
	n.Spec.Taints = []corev1.Taint{{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}}
	y.must(cluster.Client.Update(t.Context(), n))
	y.pod("default", "site", isSite)
	y.pod(platformNS, "operator", nil)
	y.pod("default", "tolerant", func(p *corev1.Pod) {
		p.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	})
	y.pod("default", "choosy", func(p *corev1.Pod) {
		p.Spec.NodeSelector = map[string]string{corev1.LabelHostname: "worker-k"}
		p.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	})
	y.ask("worker-k", v1alpha1.NodeMaintenanceSpec{Drain: true})
	y.look("worker-k")
	if y.leaving("default", "site") || y.leaving(platformNS, "operator") || y.leaving("default", "choosy") || !y.leaving("default", "tolerant") {
		t.Error("want the pod sent away that the control plane takes, and no other")
	}
	y.end("default", "tolerant")
	y.said(y.look("worker-k"), v1alpha1.ConditionNodeDrained, "NoOtherNode")
}
