package domain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

func podTroubles(t *testing.T, w *world) {
	d := newDomain("trouble.example")
	w.create(t, d)
	w.pod(t, d.Name, func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such host"}
	})
	c := w.condition(t, d.Name, v1alpha1.ConditionDeploymentReady, metav1.ConditionFalse, "ImageMissing")
	if !strings.Contains(c.Message, "no such host") {
		t.Errorf("message = %q", c.Message)
	}
	w.pod(t, d.Name, func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].RestartCount = 3
		p.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 78, Message: "one\nunknown directive \"foo\"\n"}
	})
	c = w.condition(t, d.Name, v1alpha1.ConditionDeploymentReady, metav1.ConditionFalse, "Crashing")
	if !strings.Contains(c.Message, `unknown directive "foo"`) {
		t.Errorf("message = %q, want the last line of the log", c.Message)
	}
	w.serve(t, d.Name)
	w.condition(t, d.Name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}

func lostNode(t *testing.T, w *world) {
	const name, ns, site = "trouble.example", "dom-trouble-example", "trouble-example"
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-lost"}}
	w.create(t, node)
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Message: "Kubelet stopped posting node status"}}
	if err := cluster.Client.Status().Update(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	pod := get(t, &corev1.Pod{}, ns, "pod")
	binding := &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: node.Name}}
	if err := cluster.Client.SubResource("binding").Create(t.Context(), pod, binding); err != nil {
		t.Fatal(err)
	}
	w.pod(t, name, func(p *corev1.Pod) {
		for i := range p.Status.ContainerStatuses {
			p.Status.ContainerStatuses[i].Ready = true
		}
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse})
	})
	deployment := get(t, &appsv1.Deployment{}, ns, site)
	deployment.Status.AvailableReplicas, deployment.Status.ReadyReplicas = 0, 0
	if err := cluster.Client.Status().Update(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}
	c := w.condition(t, name, v1alpha1.ConditionDeploymentReady, metav1.ConditionFalse, "NodeNotReady")
	if !strings.Contains(c.Message, "node-lost") || !strings.Contains(c.Message, "stopped posting") {
		t.Errorf("message = %q", c.Message)
	}
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}

// A node with a full disk takes no pod; the scheduler only speaks of a taint.
func fullDisk(t *testing.T, w *world) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-full"}}
	d := newDomain("full-disk.example")
	w.create(t, node, d)
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue}}
	if err := cluster.Client.Status().Update(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	w.pod(t, d.Name, func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "1 node(s) had untolerated taint(s)",
		}}
	})
	c := w.condition(t, d.Name, v1alpha1.ConditionDeploymentReady, metav1.ConditionFalse, "NoNode")
	if !strings.Contains(c.Message, "The disk of node node-full is full") {
		t.Errorf("message = %q, want it to name the full disk", c.Message)
	}
}

func suspends(t *testing.T, w *world) {
	const name, ns, site = "ready.example", "dom-ready-example", "ready-example"
	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Suspended = true })
	eventually(t, func() error {
		if n := *get(t, &appsv1.Deployment{}, ns, site).Spec.Replicas; n != 0 {
			return errorf("replicas = %d", n)
		}
		if a := get(t, &networkingv1.Ingress{}, ns, site).Annotations[v1alpha1.AnnotationSuspended]; a != "true" {
			return errorf("suspended annotation = %q", a)
		}
		return nil
	})
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionFalse, "Suspended")
	if got := get(t, &v1alpha1.Domain{}, "", name).Status.Phase; got != v1alpha1.DomainSuspended {
		t.Errorf("phase = %s, want Suspended", got)
	}
	w.change(t, name, func(d *v1alpha1.Domain) { d.Spec.Suspended = false })
	eventually(t, func() error {
		if n := *get(t, &appsv1.Deployment{}, ns, site).Spec.Replicas; n != 1 {
			return errorf("replicas = %d", n)
		}
		ingress := get(t, &networkingv1.Ingress{}, ns, site)
		if _, there := ingress.Annotations[v1alpha1.AnnotationSuspended]; there {
			return errorf("the Ingress still says suspended")
		}
		return nil
	})
	w.serve(t, name)
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}

func databaseOutage(t *testing.T, w *world) {
	const name = "ready.example"
	w.mariadb.Stop()
	c := w.condition(t, name, v1alpha1.ConditionDatabaseReady, metav1.ConditionFalse, "Unreachable")
	if !strings.Contains(c.Message, "127.0.0.1") || !strings.Contains(c.Message, w.settings.Namespace) {
		t.Errorf("message = %q, want where it is and where to look", c.Message)
	}
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionFalse, "Unreachable")
	late := newDomain("late.example")
	w.create(t, late)
	w.condition(t, late.Name, v1alpha1.ConditionServiceReady, metav1.ConditionTrue, "")
	w.condition(t, late.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionUnknown, "Waiting")
	w.mariadb.StartAgain()
	w.condition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	w.condition(t, late.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
}

func deletes(t *testing.T, w *world) {
	const name = "ready.example"
	if n := w.left(t, name); n != 2 {
		t.Fatalf("%d things on MariaDB before, want a database and a user", n)
	}
	w.removePod(t, name)
	if err := cluster.Client.Delete(t.Context(), get(t, &v1alpha1.Domain{}, "", name)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return gone(t, &v1alpha1.Domain{}, "", name) })
	if err := gone(t, &corev1.Namespace{}, "", desired.Namespace(name)); err != nil {
		t.Error(err)
	}
	if n := w.left(t, name); n != 0 {
		t.Errorf("%d things are left on MariaDB", n)
	}
}

// removePod plays kubelet, which alone can let a pod go at once, and the volume's
// protection, which needs a controller that does not run here.
func (w *world) removePod(t *testing.T, name string) {
	t.Helper()
	pvc := get(t, &corev1.PersistentVolumeClaim{}, desired.Namespace(name), "data")
	pvc.Finalizers = nil
	if err := cluster.Client.Update(t.Context(), pvc); err != nil {
		t.Fatal(err)
	}
}

func releases(t *testing.T, w *world) {
	d := newDomain("release.example")
	w.create(t, d)
	w.condition(t, d.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
	w.removePod(t, d.Name)
	w.mariadb.Stop()
	if err := cluster.Client.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	c := w.condition(t, d.Name, v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionFalse, "DatabaseUnreachable")
	if !strings.Contains(c.Message, v1alpha1.AnnotationRelease) {
		t.Errorf("message = %q, want the way out", c.Message)
	}
	if got := get(t, &v1alpha1.Domain{}, "", d.Name).Status.Phase; got != v1alpha1.DomainTerminating {
		t.Errorf("phase = %s, want Terminating", got)
	}
	w.change(t, d.Name, func(d *v1alpha1.Domain) { d.Annotations = map[string]string{v1alpha1.AnnotationRelease: "true"} })
	eventually(t, func() error { return gone(t, &v1alpha1.Domain{}, "", d.Name) })
	w.mariadb.StartAgain()
}

// TestKilledOperatorIsContinued ends operators at arbitrary moments while ten sites
// are made; the next one goes on where they were.
func TestKilledOperatorIsContinued(t *testing.T) {
	w := newWorld(t)
	const sites = 10
	name := func(i int) string { return fmt.Sprintf("kill-%d.example", i) }
	for i := range sites {
		w.create(t, newDomain(name(i)))
	}
	for i := range 6 {
		stop := w.startOperator(t)
		time.Sleep(time.Duration(40*(i+1)) * time.Millisecond) // the arbitrary moment
		stop()
	}
	w.startOperator(t)
	for i := range sites {
		w.condition(t, name(i), v1alpha1.ConditionDatabaseProvisioned, metav1.ConditionTrue, "")
		w.serve(t, name(i))
		w.condition(t, name(i), v1alpha1.ConditionReady, metav1.ConditionTrue, "")
		secret := get(t, &corev1.Secret{}, desired.Namespace(name(i)), "db-credentials")
		user := desired.DatabaseName(name(i))
		if err := w.mariadb.As(user, string(secret.Data["password"]), user).Ping(); err != nil {
			t.Errorf("%s can't use its database: %v", name(i), err)
		}
	}
}
