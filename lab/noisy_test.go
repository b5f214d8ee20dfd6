package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A noise is made long enough that every bound is met; longer where its effect is
// measured.
const (
	noisyShort = 5 * time.Second
	noisyLong  = 30 * time.Second
)

// evictLimit is how long the kubelet may take to see a full volume: it measures
// once a minute and looks at the figures every ten seconds.
const evictLimit = 3 * time.Minute

// TestANoisySiteHurtsOnlyItself makes every noise in one site while another is
// visited: no request fails, the node stays Ready, and the noisy site is back by
// itself when the noise ends. How fast the neighbour answers meanwhile is the
// bench's business; here it is only told.
func TestANoisySiteHurtsOnlyItself(t *testing.T) {
	c := openCluster(t)
	report := c.measureNoises(t, noisyShort)
	t.Log("\n" + report.table())
}

// BenchmarkNeighbour tells how much longer a site's visitors wait while another
// site makes each noise, beside the quiet times of the same run.
func BenchmarkNeighbour(b *testing.B) {
	c := openCluster(b)
	c.calm(b)
	for b.Loop() {
		report := c.measureNoises(b, noisyLong)
		show(b, report.table())
		worst := 0.0
		for _, n := range report {
			worst = max(worst, n.Ratio50)
		}
		b.ReportMetric(worst, "of-quiet-p50")
		keepResult(b, "neighbour", report)
	}
}

// neighbour is what visitors of the quiet site met during one noise.
type neighbour struct {
	Noise    string  `json:"noise"`
	Requests int     `json:"requests"`
	P50      float64 `json:"p50Milliseconds"`
	P99      float64 `json:"p99Milliseconds"`
	// Ratio50 and Ratio99 are those times beside the quiet ones of the same run.
	Ratio50 float64 `json:"ratio50"`
	Ratio99 float64 `json:"ratio99"`
	// BackAfter is how long the noisy site took to answer again, in seconds.
	BackAfter float64 `json:"backAfterSeconds"`
}

type noiseReport []neighbour

func (r noiseReport) table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%-14s %9s %9s %9s %9s %9s %9s\n", "a neighbour's", "requests", "p50 ms", "p99 ms", "of quiet", "of quiet", "back s")
	for _, n := range r {
		fmt.Fprintf(&out, "%-14s %9d %9.1f %9.1f %9.2f %9.2f %9.1f\n", n.Noise, n.Requests, n.P50, n.P99, n.Ratio50, n.Ratio99, n.BackAfter)
	}
	return out.String()
}

// measureNoises fails the test for what a noise may not do, and returns what the
// neighbour's visitors met.
func (c *cluster) measureNoises(t testing.TB, length time.Duration) noiseReport {
	t.Helper()
	noisy, quiet := c.newSite(t, "noisy.localhost"), c.newSite(t, "quiet.localhost")
	const page = `<?php $s = ''; for ($i = 0; $i < 200; $i++) $s = hash('sha256', $s); echo "still here";`
	for _, s := range []site{noisy, quiet} {
		s.put(t, "index.php", page)
	}
	visits := load{url: quiet.url() + "/", want: "still here"}
	visitor := c.newVisitor(t, "127.0.0.1")
	eventually(t, "the neighbour answers", settleLimit, func(ctx context.Context) error {
		got, err := visitor.get(ctx, visits.url)
		return visits.check(got, err)
	})
	base := c.during(t, visitor, visits, func(ctx context.Context) error { return wait(ctx, length) })
	report := noiseReport{base.of("quiet", base)}
	for _, n := range noises() {
		pod := noisy.pod(t)
		met := c.during(t, visitor, visits, func(ctx context.Context) error {
			if err := n.make(ctx, noisy, pod, length); err != nil {
				return fmt.Errorf("%s: %w", n.name, err)
			}
			return nil
		})
		row := met.of(n.name, base)
		row.BackAfter = c.recovers(t, n, noisy, pod)
		report = append(report, row)
	}
	return report
}

// samples are the times of requests, in milliseconds.
type samples []float64

func (s samples) of(noise string, base samples) neighbour {
	n := neighbour{Noise: noise, Requests: len(s), P50: quantile(s, 0.5), P99: quantile(s, 0.99)}
	n.Ratio50, n.Ratio99 = n.P50/quantile(base, 0.5), n.P99/quantile(base, 0.99)
	return n
}

// during visits the quiet site until work ends. A visit that fails fails the test,
// and so does a node that is not Ready at the end.
func (c *cluster) during(t testing.TB, v visitor, visits load, work func(context.Context) error) samples {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- work(ctx) }()
	var took samples
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		asked := time.Now()
		got, err := v.get(ctx, visits.url)
		took = append(took, float64(time.Since(asked).Microseconds())/1000)
		if err := visits.check(got, err); err != nil {
			t.Errorf("a neighbour's request failed: %v", err)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			c.mustBeReady(t)
			return took
		case <-tick.C:
		}
	}
}

func (c *cluster) mustBeReady(t testing.TB) {
	t.Helper()
	var node corev1.Node
	if err := c.Get(t.Context(), client.ObjectKey{Name: c.node}, &node); err != nil {
		t.Fatal(err)
	}
	for _, condition := range node.Status.Conditions {
		if (condition.Type == corev1.NodeReady) != (condition.Status == corev1.ConditionTrue) {
			t.Errorf("node %s: %s is %s: %s", c.node, condition.Type, condition.Status, condition.Message)
		}
	}
}

// recovers waits until the noisy site answers its own visitors again and returns
// how many seconds that took. Where the noise costs the pod, the answer has to
// come from another one.
func (c *cluster) recovers(t testing.TB, n noise, s site, before *corev1.Pod) float64 {
	t.Helper()
	started := time.Now()
	if n.evicts {
		eventually(t, "the kubelet removes the pod of "+n.name, evictLimit, func(ctx context.Context) error {
			var pod corev1.Pod
			if err := c.Get(ctx, client.ObjectKeyFromObject(before), &pod); err != nil {
				return client.IgnoreNotFound(err)
			}
			if pod.Status.Phase == corev1.PodRunning {
				return errors.New("it runs on")
			}
			return nil
		})
	}
	visitor := c.newVisitor(t, "127.0.0.1")
	page := load{url: s.url() + "/", want: "still here"}
	eventually(t, "the site answers again after its "+n.name, settleLimit, func(ctx context.Context) error {
		got, err := visitor.get(ctx, page.url)
		return page.check(got, err)
	})
	return time.Since(started).Seconds()
}

// wait lets time pass; it ends early when the test does.
func wait(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
