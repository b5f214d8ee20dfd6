package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// TestPanelDrainsTheOnlyNode: an administrator moves the pods of a node in the panel. No
// other node could take them, so the site answers on; taken down on request it comes back
// with its files when the node is open again. The platform's own pods stay all the time,
// the panel that is asked among them. It runs beside no other journey.
func TestPanelDrainsTheOnlyNode(t *testing.T) {
	c := openCluster(t)
	s := c.newSite(t, "drained.localhost")
	s.put(t, "note.txt", "written before the drain")
	p := newPanelJourney(t, c)
	ada := newBrowser(t, "panel-nodes", c.ca)
	p.administrator(ada)
	t.Cleanup(func() { c.openNode(t) })
	before := c.platformPods(t)
	pod := s.pod(t).UID

	ada.open(p.url + "/platform/nodes")
	p.check(ada, "nodes")
	ada.open(p.url + "/platform/nodes/" + c.node)
	p.check(ada, "node")
	ada.click("button[name=drain]")
	ada.until("the page says what can't move", `document.querySelector('.steps .stalled .said')?.innerText.includes('No other node')`)
	p.check(ada, "node-only-one")
	p.seen(s, "/note.txt", "written before the drain")
	if now := s.pod(t).UID; now != pod {
		t.Errorf("the site's pod is %s, want the one of before, %s: no other node could have taken it", now, pod)
	}

	ada.click("input[name=take-down]")
	ada.click("button[name=drain]")
	eventually(t, "the page says that the node is drained", settleLimit, func(context.Context) error {
		if said := ada.read(`document.querySelector('#state')?.innerText ?? 'nothing'`); said != "Drained" {
			return fmt.Errorf("it says %s", said)
		}
		return nil
	})
	p.check(ada, "node-drained")
	ada.until("the page names what stays", `document.querySelector('.steps .said')?.innerText.includes('stay')`)
	eventually(t, "a condition says that no node takes the pod", noticeLimit, s.complains(v1alpha1.ConditionDeploymentReady, "node"))
	if now := c.platformPods(t); !maps.Equal(now, before) {
		t.Errorf("the platform's pods are %v, want those of before the drain, %v", slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(before)))
	}

	ada.click(`form[action$="/open"] button`)
	s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
	p.seen(s, "/note.txt", "written before the drain")
	if s.pod(t).UID == pod {
		t.Error("the site's pod was never sent away")
	}
	ada.open(p.url + "/platform/nodes/" + c.node)
	ada.until("the node takes pods again", `document.querySelector('#state')?.innerText === 'Ready'`)
}

// openNode ends what was asked for the node.
func (c *cluster) openNode(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	m := &v1alpha1.NodeMaintenance{}
	m.Name = c.node
	if err := client.IgnoreNotFound(c.Delete(ctx, m)); err != nil {
		t.Errorf("open the node: %v", err)
	}
	err := within(ctx, time.Minute, func(ctx context.Context) error {
		node := &corev1.Node{}
		err := c.Get(ctx, client.ObjectKey{Name: c.node}, node)
		if err == nil && node.Spec.Unschedulable {
			err = fmt.Errorf("it is still closed")
		}
		return err
	})
	if err != nil {
		t.Errorf("open the node: %v", err)
	}
}

// platformPods are the pods that are no sites' and run, by name.
func (c *cluster) platformPods(t testing.TB) map[string]types.UID {
	t.Helper()
	var list corev1.PodList
	if err := c.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	pods := map[string]types.UID{}
	for _, p := range list.Items {
		if p.Status.Phase == corev1.PodRunning && p.Labels[v1alpha1.LabelDomain] == "" {
			pods[p.Namespace+"/"+p.Name] = p.UID
		}
	}
	return pods
}
