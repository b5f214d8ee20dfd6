package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// noticeLimit is what "within seconds" means for an outage that the operator
// must find out by asking.
const noticeLimit = 60 * time.Second

// nodeLimit: Kubernetes itself waits 50 s before it calls a silent node not ready.
const nodeLimit = 2 * time.Minute

// TestDatabaseOutageIsToldAndMended stops MariaDB under a running site and under
// one that is being made.
func TestDatabaseOutageIsToldAndMended(t *testing.T) {
	c := openCluster(t)
	running := c.newSite(t, "outage.localhost")
	making := c.expectSite(t, "made-in-outage.localhost")

	c.scaleMariaDB(t, 0)
	t.Cleanup(func() { c.scaleMariaDB(t, 1) })
	c.kubepanel(t, "site", "create", making.name).must(t)
	for _, s := range []site{running, making} {
		condition := s.becomes(t, v1alpha1.ConditionDatabaseReady, "False", noticeLimit)
		if !strings.Contains(strings.ToLower(condition.Message), "database") && !strings.Contains(strings.ToLower(condition.Message), "mariadb") {
			t.Errorf("%s: DatabaseReady says %q, which names no cause", s.name, condition.Message)
		}
		s.becomes(t, v1alpha1.ConditionReady, "False", noticeLimit)
	}
	c.scaleMariaDB(t, 1)
	for _, s := range []site{running, making} {
		s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
	}
}

// scaleMariaDB stops or starts the database and waits until that is done.
func (c *cluster) scaleMariaDB(t testing.TB, replicas int32) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), settleLimit)
	defer cancel()
	var set appsv1.StatefulSet
	key := client.ObjectKey{Namespace: platformNamespace, Name: "mariadb"}
	if err := c.Get(ctx, key, &set); err != nil {
		t.Fatal(err)
	}
	patch := client.MergeFrom(set.DeepCopy())
	set.Spec.Replicas = &replicas
	if err := c.Patch(ctx, &set, patch); err != nil {
		t.Fatal(err)
	}
	err := within(ctx, settleLimit, func(ctx context.Context) error {
		err := c.Get(ctx, key, &set)
		if err == nil && (set.Status.Replicas != replicas || set.Status.ReadyReplicas != replicas) {
			err = fmt.Errorf("%d of %d pods are ready", set.Status.ReadyReplicas, set.Status.Replicas)
		}
		return err
	})
	if err != nil {
		t.Fatalf("scale MariaDB to %d: %v", replicas, err)
	}
}

// TestANodeThatTakesNoPodsIsTold cordons the node: a new site waits and says why.
func TestANodeThatTakesNoPodsIsTold(t *testing.T) {
	c := openCluster(t)
	s := c.expectSite(t, "unscheduled.localhost")
	c.cordon(t, true)
	t.Cleanup(func() { c.cordon(t, false) })
	c.kubepanel(t, "site", "create", s.name).must(t)
	eventually(t, "a condition says that no node takes the pod", noticeLimit, s.complains(v1alpha1.ConditionDeploymentReady, "node"))
	if s.state(t).Status.Phase == v1alpha1.DomainReady {
		t.Error("the site is called Ready without a pod")
	}
	c.cordon(t, false)
	s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
}

func (c *cluster) cordon(t testing.TB, on bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	node := &corev1.Node{}
	node.Name = c.node
	patch := fmt.Appendf(nil, `{"spec":{"unschedulable":%v}}`, on)
	if err := c.Patch(ctx, node, client.RawPatch(types.MergePatchType, patch)); err != nil {
		t.Fatal(err)
	}
}

// TestAFullDiskIsTold: the kubelet of a full node reports DiskPressure, and
// Kubernetes sends it no more pods. Filling the disk of the computer would hit
// everybody on it, so the report is made in the kubelet's name while it sleeps.
func TestAFullDiskIsTold(t *testing.T) {
	c := openCluster(t)
	s := c.expectSite(t, "diskless.localhost")
	wake := c.silence(t)
	node := &corev1.Node{}
	node.Name = c.node
	const full = `{"status":{"conditions":[{"type":"DiskPressure","status":"True","reason":"KubeletHasDiskPressure","message":"kubelet has disk pressure"}]}}`
	if err := c.Status().Patch(t.Context(), node, client.RawPatch(types.StrategicMergePatchType, []byte(full))); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Kubernetes sends no more pods", noticeLimit, func(ctx context.Context) error {
		err := c.Get(ctx, client.ObjectKeyFromObject(node), node)
		if err == nil && !slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeDiskPressure }) {
			err = fmt.Errorf("its taints are %v", node.Spec.Taints)
		}
		return err
	})
	c.kubepanel(t, "site", "create", s.name).must(t)
	eventually(t, "a condition says that the disk is full", noticeLimit, s.complains(v1alpha1.ConditionDeploymentReady, "disk"))
	wake()
	s.becomes(t, v1alpha1.ConditionReady, "True", nodeLimit)
}

// TestASilentNodeIsTold stops the node's kubelet, which is how a dead node looks
// to everybody else.
func TestASilentNodeIsTold(t *testing.T) {
	c := openCluster(t)
	s := c.newSite(t, "silent.localhost")
	wake := c.silence(t)
	s.becomes(t, v1alpha1.ConditionReady, "False", nodeLimit)
	eventually(t, "a condition names the node", noticeLimit, s.complains(v1alpha1.ConditionDeploymentReady, c.node))
	wake()
	s.becomes(t, v1alpha1.ConditionReady, "True", nodeLimit)
}

// silence stops the node's kubelet until wake is called, or the test ends and all
// programs of the platform are back.
func (c *cluster) silence(t testing.TB) (wake func()) {
	t.Helper()
	kubelet := c.kubelet(t)
	if err := unix.Kill(kubelet.pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	wake = func() {
		if err := unix.Kill(kubelet.pid, unix.SIGCONT); err != nil {
			t.Errorf("wake the kubelet: %v", err)
		}
	}
	t.Cleanup(func() {
		wake()
		ctx, cancel := context.WithTimeout(context.Background(), nodeLimit)
		defer cancel()
		for _, program := range []string{"kubepanel-operator", "kubepanel-edge", "mariadb"} {
			err := within(ctx, nodeLimit, func(ctx context.Context) error {
				_, err := c.runningPod(ctx, platformNamespace, client.MatchingLabels{"app.kubernetes.io/name": program})
				return err
			})
			if err != nil {
				t.Errorf("the platform's %s after the node was silent: %v", program, err)
			}
		}
	})
	return wake
}

// complains looks for a condition that is not True and whose message names something.
func (s site) complains(condition, names string) func(context.Context) error {
	return func(ctx context.Context) error {
		d, err := s.domain(ctx)
		if err != nil {
			return err
		}
		have := meta.FindStatusCondition(d.Status.Conditions, condition)
		if have == nil || have.Status == "True" || !strings.Contains(have.Message, names) {
			return fmt.Errorf("%s does not name %s: %s", condition, names, summary(d))
		}
		return nil
	}
}
