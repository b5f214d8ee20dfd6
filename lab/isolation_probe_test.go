package lab

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// probeLimit: the operator looks every minute, and three times before it believes
// in a hole.
const probeLimit = 90 * time.Second

// TestNoNewSiteWhilePoliciesDoNotHold takes the effect of every NetworkPolicy away:
// the platform says so, a new site is refused, one that lives notices nothing, and all
// is mended by itself when policies hold again.
func TestNoNewSiteWhilePoliciesDoNotHold(t *testing.T) {
	c := openCluster(t)
	lives := c.newSite(t, "resident.localhost")
	lives.put(t, "index.html", "still here")
	waits := c.expectSite(t, "refused.localhost")
	c.policiesAre(t, platform.PoliciesEnforced)

	restore := c.openAllWalls(t)
	c.policiesAre(t, platform.PoliciesNotEnforced)
	if said := c.kubepanel(t, "platform", "status"); !strings.Contains(said.stdout+said.stderr, "let through") {
		t.Errorf("kubepanel platform status does not tell:\n%s%s", said.stdout, said.stderr)
	}
	c.kubepanel(t, "site", "create", waits.name).must(t)
	refusal := waits.becomes(t, v1alpha1.ConditionNamespaceReady, "False", noticeLimit)
	for _, part := range []string{"let through", "no new one is made", "Calico", "isolation.requireNetworkPolicy"} {
		if !strings.Contains(refusal.Message, part) {
			t.Errorf("the refusal does not tell %q: %s", part, refusal.Message)
		}
	}
	var namespace corev1.Namespace
	if err := c.Get(t.Context(), client.ObjectKey{Name: "dom-refused-localhost"}, &namespace); !apierrors.IsNotFound(err) {
		t.Errorf("namespace of a site that is refused: %v, want none", err)
	}
	lives.change(t, func(d *v1alpha1.Domain) { d.Spec.Title = "changed meanwhile" })
	lives.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
	if got, err := c.newVisitor(t, "127.0.0.1").get(t.Context(), lives.url()+"/index.html"); err != nil || got.body != "still here" {
		t.Errorf("the site that lives: %q (%v)", got.body, err)
	}

	restore()
	waits.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
	c.policiesAre(t, platform.PoliciesEnforced)
}

// policiesAre waits until the operator has found something about policies.
func (c *cluster) policiesAre(t testing.TB, verdict string) {
	t.Helper()
	eventually(t, "network policies are found "+verdict, probeLimit, func(ctx context.Context) error {
		var found corev1.ConfigMap
		err := c.Get(ctx, client.ObjectKey{Namespace: platformNamespace, Name: platform.ConfigMapIsolation}, &found)
		if err == nil && found.Data[platform.KeyNetworkPolicy] != verdict {
			err = fmt.Errorf("found: %v", found.Data)
		}
		return err
	})
}

// openAllWalls makes Calico decide before it comes to any NetworkPolicy, and let
// everything through: traffic is then as with a plug-in that knows none. Removing
// Calico itself would leave its rules in the kernel.
func (c *cluster) openAllWalls(t testing.TB) (restore func()) {
	t.Helper()
	all := []any{map[string]any{"action": "Allow"}}
	open := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"order": int64(1), "selector": "all()", "types": []any{"Ingress", "Egress"}, "ingress": all, "egress": all,
	}}}
	open.SetGroupVersionKind(schema.GroupVersionKind{Group: "crd.projectcalico.org", Version: "v1", Kind: "GlobalNetworkPolicy"})
	open.SetName("lab-opens-all-walls")
	restore = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := c.Delete(ctx, open.DeepCopy()); client.IgnoreNotFound(err) != nil {
			t.Errorf("put the walls back: %v", err)
		}
	}
	t.Cleanup(restore)
	if err := c.Create(t.Context(), open); client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}
	return restore
}
