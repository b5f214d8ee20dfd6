package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// crashSites is how many sites are in the making while the operator dies.
const crashSites = 10

// tenLiveLimit is for ten WordPress installations on two cores, with an operator
// that is away for 25 s (its lease and its renewal) after each kill.
const tenLiveLimit = 6 * time.Minute

// TestOperatorKilledWhileCreatingTenSites kills it at four points of the work:
// nothing it had half done may be lost, and no hand may be needed.
func TestOperatorKilledWhileCreatingTenSites(t *testing.T) {
	c := openCluster(t)
	var sites []site
	for i := range crashSites {
		sites = append(sites, c.expectSite(t, fmt.Sprintf("crash-%d.localhost", i)))
	}
	for _, s := range sites {
		c.kubepanel(t, "site", "create", s.name, "--wordpress").must(t)
	}
	for _, point := range []struct {
		what string
		done func(progress) bool
		kill func(testing.TB, *cluster)
	}{
		{"the first namespace is there", func(p progress) bool { return p.namespaces >= 1 }, killOperator},
		{"half of the Deployments are there", func(p progress) bool { return p.deployments >= crashSites/2 }, deleteOperator},
		{"all Deployments are there", func(p progress) bool { return p.deployments == crashSites }, killOperator},
		{"the first site is live", func(p progress) bool { return p.live >= 1 }, deleteOperator},
	} {
		eventually(t, point.what, tenLiveLimit, func(ctx context.Context) error {
			have, err := c.progressOf(ctx, sites)
			if err == nil && !point.done(have) {
				err = fmt.Errorf("have %+v", have)
			}
			return err
		})
		t.Logf("%s: the operator is killed", point.what)
		point.kill(t, c)
	}
	started := time.Now()
	eventually(t, "all ten are live", tenLiveLimit, func(ctx context.Context) error {
		have, err := c.progressOf(ctx, sites)
		if err == nil && have.live < crashSites {
			err = fmt.Errorf("have %+v", have)
		}
		return err
	})
	t.Logf("all ten live %s after the last kill", time.Since(started).Round(time.Second))
	visitor := c.newVisitor(t, "127.0.0.1")
	for _, s := range sites {
		visitor.must(t, s.url()+"/")
		if got, err := visitor.get(t.Context(), s.url()+"/wp-login.php"); err != nil || got.status != http.StatusOK {
			t.Errorf("%s: sign-in page = %d (%v)", s.name, got.status, err)
		}
	}
}

// progress is how far the ten sites are.
type progress struct{ namespaces, deployments, live int }

func (c *cluster) progressOf(ctx context.Context, sites []site) (progress, error) {
	var p progress
	for _, s := range sites {
		d, err := s.domain(ctx)
		if err != nil {
			return p, err
		}
		p.live += isTrue(d, v1alpha1.ConditionReady)
		p.namespaces += isTrue(d, v1alpha1.ConditionNamespaceReady)
		if d.Status.Namespace == "" {
			continue
		}
		var pods corev1.PodList
		if err := c.List(ctx, &pods, client.InNamespace(d.Status.Namespace)); err != nil {
			return p, err
		}
		p.deployments += min(len(pods.Items), 1)
	}
	return p, nil
}

func isTrue(d *v1alpha1.Domain, condition string) int {
	if meta.IsStatusConditionTrue(d.Status.Conditions, condition) {
		return 1
	}
	return 0
}

func (c *cluster) operator(t testing.TB) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	// It may still be coming back from the kill before.
	eventually(t, "an operator to kill", time.Minute, func(ctx context.Context) (err error) {
		pod, err = c.runningPod(ctx, platformNamespace, client.MatchingLabels{"app.kubernetes.io/name": "kubepanel-operator"})
		return err
	})
	return pod
}

// killOperator ends the process with SIGKILL, as the kernel does when memory is
// short: no clean-up runs and its lease stays.
func killOperator(t testing.TB, c *cluster) {
	t.Helper()
	uid := string(c.operator(t).UID)
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	inside, _ := podProcesses(all, uid)
	for _, p := range inside {
		if p.name != "kubepanel" {
			continue // the pod's pause
		}
		if err := unix.Kill(p.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			t.Fatal(err)
		}
		killed++
	}
	if killed == 0 {
		t.Fatalf("the operator's pod %s has no process named kubepanel here: %v", uid, inside)
	}
}

// deleteOperator takes the pod away without a grace period, as when its node dies.
func deleteOperator(t testing.TB, c *cluster) {
	t.Helper()
	if err := c.Delete(t.Context(), c.operator(t), client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
}
