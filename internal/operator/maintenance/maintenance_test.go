package maintenance_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/kubetest"
	"kubepanel.io/kubepanel/internal/operator/maintenance"
)

var cluster *kubetest.Cluster

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(kubetest.Run(m, &cluster))
}

const (
	operatorUser = "kubepanel-operator-maintenance"
	platformNS   = "kubepanel-system"
)

// yard is two nodes without kubelets, and the steps with the chart's rights.
type yard struct {
	*testing.T

	steps *maintenance.Reconciler
	node  string
}

func newYard(t *testing.T, node string) *yard {
	t.Helper()
	y := &yard{T: t, node: node}
	root, err := kubetest.Root()
	y.must(err)
	data, err := os.ReadFile(filepath.Join(root, "deploy/kubepanel/files/operator-rules.yaml"))
	y.must(err)
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: operatorUser}}
	y.must(yaml.UnmarshalStrict(data, &role.Rules))
	y.make(role)
	y.make(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: operatorUser},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: operatorUser},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
	})
	y.make(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: platformNS}})
	config := rest.CopyConfig(cluster.Config)
	config.Impersonate.UserName = operatorUser
	as, err := client.New(config, client.Options{Scheme: cluster.Scheme})
	y.must(err)
	y.steps = &maintenance.Reconciler{Client: as, Direct: as, Namespace: platformNS}
	y.join(node)
	return y
}

func (y *yard) must(err error) {
	y.Helper()
	if err != nil {
		y.Fatal(err)
	}
}

func (y *yard) make(o client.Object) {
	y.Helper()
	y.must(client.IgnoreAlreadyExists(cluster.Client.Create(context.Background(), o)))
}

// join adds a node that is ready; it leaves with the test.
func (y *yard) join(name string) {
	y.Helper()
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	y.make(n)
	n.Spec.Taints = nil // a new node is closed until the controller of nodes sees it ready
	y.must(cluster.Client.Update(y.Context(), n))
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	y.must(cluster.Client.Status().Update(y.Context(), n))
	y.Cleanup(func() { y.must(cluster.Client.Delete(context.Background(), n)) })
}

// pod puts one on the node. Nothing runs it, so it has to be ended by hand.
func (y *yard) pod(namespace, name string, change func(*corev1.Pod)) {
	y.Helper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{NodeName: y.node, Containers: []corev1.Container{{Name: "c", Image: "none"}}},
	}
	if change != nil {
		change(p)
	}
	y.make(p)
	y.Cleanup(func() { _ = cluster.Client.Delete(context.Background(), p, client.GracePeriodSeconds(0)) })
}

// isSite makes a pod one of a site.
func isSite(p *corev1.Pod) {
	p.Labels[v1alpha1.LabelManagedBy], p.Labels[v1alpha1.LabelDomain] = v1alpha1.ManagedBy, p.Name
}

// daemons makes a DaemonSet; a pod of one that is not there would be removed as garbage.
func (y *yard) daemons(name string) *appsv1.DaemonSet {
	y.Helper()
	labels := map[string]string{"daemons": name}
	set := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: appsv1.DaemonSetSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "none"}}}},
	}}
	y.make(set)
	y.Cleanup(func() { _ = cluster.Client.Delete(context.Background(), set) })
	return set
}

// ask makes a NodeMaintenance.
func (y *yard) ask(name string, spec v1alpha1.NodeMaintenanceSpec) {
	y.Helper()
	m := &v1alpha1.NodeMaintenance{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
	y.make(m)
	y.Cleanup(func() {
		_ = cluster.Client.Delete(context.Background(), m)
		y.look(name)
	})
}

// look lets the operator look once and returns what it wrote; nil when it is gone.
func (y *yard) look(name string) *v1alpha1.NodeMaintenance {
	y.Helper()
	ctx := context.Background() // also when the test has ended
	m := &v1alpha1.NodeMaintenance{}
	if err := cluster.Client.Get(ctx, client.ObjectKey{Name: name}, m); err != nil {
		y.must(client.IgnoreNotFound(err))
		return nil
	}
	_, err := y.steps.Loop().Reconcile(ctx, m)
	y.must(err)
	if err := cluster.Client.Get(ctx, client.ObjectKey{Name: name}, m); err != nil {
		y.must(client.IgnoreNotFound(err))
		return nil
	}
	return m
}

// said wants a condition with a reason.
func (y *yard) said(m *v1alpha1.NodeMaintenance, condition, reason string) {
	y.Helper()
	if c := meta.FindStatusCondition(m.Status.Conditions, condition); c == nil || c.Reason != reason {
		y.Errorf("%s = %+v, want the reason %s", condition, c, reason)
	}
}

func (y *yard) closed() bool {
	y.Helper()
	n := &corev1.Node{}
	y.must(cluster.Client.Get(y.Context(), client.ObjectKey{Name: y.node}, n))
	return n.Spec.Unschedulable
}

// leaving tells whether a pod was sent away.
func (y *yard) leaving(namespace, name string) bool {
	y.Helper()
	p := &corev1.Pod{}
	err := cluster.Client.Get(y.Context(), client.ObjectKey{Namespace: namespace, Name: name}, p)
	y.must(client.IgnoreNotFound(err))
	return err != nil || p.DeletionTimestamp != nil
}

// end is what kubelet does with a pod that was sent away.
func (y *yard) end(namespace, name string) {
	y.Helper()
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	y.must(client.IgnoreNotFound(cluster.Client.Delete(y.Context(), p, client.GracePeriodSeconds(0))))
}

func TestNodeIsClosedAndOpenedAgain(t *testing.T) {
	y := newYard(t, "worker-a")
	y.pod("default", "stays", nil)
	y.ask("worker-a", v1alpha1.NodeMaintenanceSpec{})
	m := y.look("worker-a")
	y.said(m, v1alpha1.ConditionNodeDrained, "NotAsked")
	if !y.closed() || y.leaving("default", "stays") || !meta.IsStatusConditionTrue(m.Status.Conditions, "Ready") {
		t.Errorf("closed %v, its pod leaves %v, conditions %+v; want it closed, the pod left alone and all Ready", y.closed(), y.leaving("default", "stays"), m.Status.Conditions)
	}
	y.must(cluster.Client.Delete(t.Context(), m))
	if left := y.look("worker-a"); left != nil || y.closed() {
		t.Errorf("after the deletion %+v is left, and the node is closed: %v", left, y.closed())
	}
}

// Sites go first, the platform's own pods last, and those of DaemonSets not at all.
func TestDrainMovesSitesBeforeThePlatform(t *testing.T) {
	y := newYard(t, "worker-b")
	y.join("worker-c")
	y.pod("default", "site", isSite)
	y.pod(platformNS, "operator", nil)
	everywhere := y.daemons("agent")
	y.pod("default", "agent", func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(everywhere, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))}
	})
	y.ask("worker-b", v1alpha1.NodeMaintenanceSpec{Drain: true})
	m := y.look("worker-b")
	y.said(m, v1alpha1.ConditionNodeDrained, "Draining")
	if m.Status.Pods != 2 || *m.Status.PodsLeft != 2 {
		t.Errorf("%d of %d pods are left, want 2 of 2", *m.Status.PodsLeft, m.Status.Pods)
	}
	if !y.leaving("default", "site") || y.leaving(platformNS, "operator") || y.leaving("default", "agent") {
		t.Error("want the site sent away first, and nothing else yet")
	}
	y.end("default", "site")
	if m = y.look("worker-b"); *m.Status.PodsLeft != 1 || !y.leaving(platformNS, "operator") {
		t.Errorf("%d pods are left, and the operator's leaves: %v; want 1 and true", *m.Status.PodsLeft, y.leaving(platformNS, "operator"))
	}
	y.end(platformNS, "operator")
	if m = y.look("worker-b"); !meta.IsStatusConditionTrue(m.Status.Conditions, "Ready") || *m.Status.PodsLeft != 0 || m.Status.Pods != 2 {
		t.Errorf("at the end %+v, want it Ready with none of 2 pods left", m.Status)
	}
	if y.leaving("default", "agent") {
		t.Error("a DaemonSet's pod was sent away")
	}
}

// Pods that no other node could take are not sent away: on a single node that would
// end the platform, the operator included.
func TestDrainOfTheOnlyNodeMovesNothing(t *testing.T) {
	y := newYard(t, "worker-d")
	y.pod("default", "only", isSite)
	y.ask("worker-d", v1alpha1.NodeMaintenanceSpec{Drain: true})
	y.said(y.look("worker-d"), v1alpha1.ConditionNodeDrained, "NoOtherNode")
	if y.leaving("default", "only") {
		t.Error("the only node's pod was sent away")
	}
}

func TestDisruptionBudgetHolds(t *testing.T) {
	y := newYard(t, "worker-e")
	y.join("worker-f")
	y.pod("default", "guarded", nil)
	one := intstr.FromInt32(1)
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "guarded"},
		Spec: policyv1.PodDisruptionBudgetSpec{MinAvailable: &one, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "guarded"}}}}
	y.make(budget)
	y.Cleanup(func() { y.must(cluster.Client.Delete(context.Background(), budget)) })
	// As the controller of budgets would have it: until then the API server has every caller wait.
	budget.Status = policyv1.PodDisruptionBudgetStatus{ObservedGeneration: budget.Generation, CurrentHealthy: 1, DesiredHealthy: 1, ExpectedPods: 1}
	y.must(cluster.Client.Status().Update(t.Context(), budget))
	running := &corev1.Pod{}
	y.must(cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "guarded"}, running))
	// A pod that never ran, or is not ready, is not guarded.
	running.Status.Phase = corev1.PodRunning
	running.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	y.must(cluster.Client.Status().Update(t.Context(), running))
	y.ask("worker-e", v1alpha1.NodeMaintenanceSpec{Drain: true})
	y.said(y.look("worker-e"), v1alpha1.ConditionNodeDrained, "Held")
	if y.leaving("default", "guarded") {
		t.Error("a pod was sent away past its budget")
	}
}

func TestUnknownNodeIsTold(t *testing.T) {
	y := newYard(t, "worker-g")
	y.ask("nobody", v1alpha1.NodeMaintenanceSpec{Drain: true})
	y.said(y.look("nobody"), v1alpha1.ConditionNodeClosed, "NoSuchNode")
}
