package program_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// writers is how many Domains are written at once.
const writers = 4

// domainName of the i-th.
func domainName(i int) string { return fmt.Sprintf("site-%05d.example", i) }

// newDomain is a PHP site with everything that a Domain has unless it is asked
// otherwise: volume, database, SFTP, certificate.
func newDomain(name string) *v1alpha1.Domain {
	return &v1alpha1.Domain{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.DomainSpec{
			DomainName: name,
			Workload:   v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"},
			Resources: v1alpha1.ResourcesSpec{
				Storage: "1Gi", Limits: v1alpha1.LimitsSpec{CPU: "500m", Memory: "256Mi"},
			},
		},
	}
}

// each does something for the Domains from..to-1, a few at once.
func each(t testing.TB, from, to int, do func(name string) error) {
	t.Helper()
	next := make(chan int)
	errs := make(chan error, writers)
	for range writers {
		go func() {
			var first error
			for i := range next {
				if err := do(domainName(i)); err != nil && first == nil {
					first = fmt.Errorf("%s: %w", domainName(i), err)
				}
			}
			errs <- first
		}()
	}
	for i := from; i < to; i++ {
		next <- i
	}
	close(next)
	for range writers {
		must(t, <-errs)
	}
}

func (w *world) create(t testing.TB, from, to int) {
	t.Helper()
	each(t, from, to, func(name string) error {
		d := newDomain(name)
		controllerutil.AddFinalizer(d, v1alpha1.FinalizerDomain) // as the panel and the CLI do
		return w.client.Create(t.Context(), d)
	})
}

// readiness follows every Domain.
type readiness struct {
	world *world

	mu    sync.Mutex
	ready map[string]bool
	// last is when a Domain became ready last, falls how often one ceased to be.
	last  time.Time
	falls int
	why   map[string]string
}

// follow watches until the test ends.
func (w *world) follow(t testing.TB) *readiness {
	t.Helper()
	r := &readiness{world: w, ready: map[string]bool{}, why: map[string]string{}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended })
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			news, err := w.client.Watch(ctx, &v1alpha1.DomainList{})
			if err != nil {
				continue
			}
			for event := range news.ResultChan() {
				if d, ok := event.Object.(*v1alpha1.Domain); ok {
					r.note(d, event.Type == watch.Deleted)
				}
			}
			news.Stop()
		}
	}()
	return r
}

func (r *readiness) note(d *v1alpha1.Domain, deleted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	is := !deleted && meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionReady)
	was := r.ready[d.Name]
	switch {
	case is && !was:
		r.last = time.Now()
	case was && !is && d.DeletionTimestamp == nil:
		r.falls++
	}
	delete(r.ready, d.Name)
	if is {
		r.ready[d.Name] = true
	}
	r.why[d.Name] = d.Status.Message
}

// count is how many Domains are ready.
func (r *readiness) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ready)
}

// await waits until so many Domains are ready, and returns when the last became so.
func (r *readiness) await(t testing.TB, n int, patience time.Duration) time.Time {
	t.Helper()
	r.world.eventually(t, patience, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.ready) == n {
			return nil
		}
		for name, why := range r.why {
			if !r.ready[name] {
				return fmt.Errorf("%d of %d Domains are ready; %s: %s", len(r.ready), n, name, why)
			}
		}
		return fmt.Errorf("%d of %d Domains are ready", len(r.ready), n)
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// eventually waits until what returns nil, and ends the test with its last error
// when it does not, or when an operator ends meanwhile.
func (w *world) eventually(t testing.TB, patience time.Duration, what func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = what(); err == nil {
			return
		}
		for _, p := range w.operators {
			if p.died() {
				t.Fatalf("an operator ended by itself (%s): %v", p.cmd.ProcessState, err)
			}
		}
	}
	t.Fatal(err)
}

// touch makes the operator reconcile a Domain in which nothing is new.
func (w *world) touch(t testing.TB, name string) error {
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"metadata":{"annotations":{"test/touch":"%d"}}}`, time.Now().UnixNano()))
	return w.client.Patch(t.Context(), &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: name}}, patch)
}
