package domain_test

import (
	"context"
	"net"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator/isolation"
)

// holed listens at all three ports, as an edge does that no policy holds. Closing
// the second and third is all that policies would do.
func holed(t *testing.T) (ports isolation.Ports, wallUp func()) {
	t.Helper()
	var listeners [3]net.Listener
	for i := range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		listeners[i] = l
	}
	port := func(i int) int { return listeners[i].Addr().(*net.TCPAddr).Port }
	return isolation.Ports{Open: port(0), Ingress: port(1), Egress: port(2)}, func() { listeners[1].Close(); listeners[2].Close() }
}

// letRemember gives the operator of the test what the chart's Role gives, and nothing
// to remember of an earlier test.
func letRemember(t *testing.T, namespace string) {
	t.Helper()
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "kubepanel-operator"},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{platform.ConfigMapIsolation}, Verbs: []string{"get"},
		}},
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: role.ObjectMeta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
	}
	for _, o := range []client.Object{role, binding} {
		if err := cluster.Client.Create(t.Context(), o); client.IgnoreAlreadyExists(err) != nil {
			t.Fatal(err)
		}
	}
	found := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: platform.ConfigMapIsolation}}
	if err := cluster.Client.Delete(t.Context(), found); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
}

func TestNoNewSiteWhileNetworkPoliciesAreNotEnforced(t *testing.T) {
	w := newWorld(t)
	letRemember(t, w.settings.Namespace)
	ports, wallUp := holed(t)
	here := func(context.Context) ([]isolation.Target, error) {
		return []isolation.Target{{Node: "one", Address: "127.0.0.1"}}, nil
	}
	w.wall = &isolation.Wall{Namespace: w.settings.Namespace, Required: true, Ports: ports, Targets: here, Often: time.Second}
	stop := w.startOperator(t)

	w.create(t, newDomain("unwalled.example"))
	w.condition(t, "unwalled.example", v1alpha1.ConditionNamespaceReady, metav1.ConditionFalse, "NetworkPolicyNotEnforced")
	ns := &corev1.Namespace{}
	if err := cluster.Client.Get(t.Context(), client.ObjectKey{Name: desired.Namespace("unwalled.example")}, ns); !apierrors.IsNotFound(err) {
		t.Errorf("its namespace: %v, want none", err)
	}

	wallUp()
	w.condition(t, "unwalled.example", v1alpha1.ConditionNamespaceReady, metav1.ConditionTrue, "Satisfied")
	stop()

	// The next operator meets no edge, and goes by what was found.
	w.wall = &isolation.Wall{Namespace: w.settings.Namespace, Required: true, Ports: ports,
		Targets: func(context.Context) ([]isolation.Target, error) { return nil, nil }}
	w.startOperator(t)
	w.create(t, newDomain("remembered.example"))
	w.condition(t, "remembered.example", v1alpha1.ConditionNamespaceReady, metav1.ConditionTrue, "Satisfied")
}

// TestASiteThatLivesIsNeverTurnedAway: not even one whose status was lost, as after
// its Domain was restored from a copy.
func TestASiteThatLivesIsNeverTurnedAway(t *testing.T) {
	w := newWorld(t)
	letRemember(t, w.settings.Namespace)
	stop := w.startOperator(t)
	w.create(t, newDomain("resident.example"))
	w.condition(t, "resident.example", v1alpha1.ConditionNamespaceReady, metav1.ConditionTrue, "Satisfied")
	stop()

	d := &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: "resident.example"}}
	if err := cluster.Client.Status().Patch(t.Context(), d, client.RawPatch(types.MergePatchType, []byte(`{"status":null}`))); err != nil {
		t.Fatal(err)
	}
	ports, _ := holed(t)
	w.wall = &isolation.Wall{Namespace: w.settings.Namespace, Required: true, Ports: ports, Targets: func(context.Context) ([]isolation.Target, error) {
		return []isolation.Target{{Node: "one", Address: "127.0.0.1"}}, nil
	}}
	w.startOperator(t)
	w.create(t, newDomain("newcomer.example"))
	w.condition(t, "newcomer.example", v1alpha1.ConditionNamespaceReady, metav1.ConditionFalse, "NetworkPolicyNotEnforced")
	w.touch(t, "resident.example", "policies do not hold now")
	w.condition(t, "resident.example", v1alpha1.ConditionNamespaceReady, metav1.ConditionTrue, "Satisfied")
}
