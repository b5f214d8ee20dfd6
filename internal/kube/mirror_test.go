package kube_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/kube"
)

// counted counts the requests that reach the API server.
type counted struct {
	http.RoundTripper
	requests *atomic.Int64
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

func mirrored(t *testing.T) (*kube.Mirror, *atomic.Int64) {
	t.Helper()
	requests := &atomic.Int64{}
	config := rest.CopyConfig(cluster.Config)
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper { return counted{rt, requests} })
	s, err := kube.NewStore(config, systemNamespace)
	if err != nil {
		t.Fatal(err)
	}
	m := kube.NewMirror(s, &platform.Settings{})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { m.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	select {
	case <-m.Synced():
	case <-time.After(30 * time.Second):
		t.Fatal("the mirror has not seen all Domains within 30 s")
	}
	return m, requests
}

// shows waits until the mirror has a Domain as wanted; nil is none.
func shows(t *testing.T, m *kube.Mirror, name, what string, wanted func(*v1alpha1.Domain) bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for {
		d, err := m.Domain(t.Context(), name)
		if err != nil {
			d = nil
		}
		if wanted(d) {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("the mirror does not show within 30 s: %s", what)
		}
	}
}

func TestMirrorReadsFromMemory(t *testing.T) {
	s := newStore(t)
	created(t, s, "mirrored.example")
	m, requests := mirrored(t)
	before := requests.Load()
	for range 100 {
		if _, err := m.Domain(t.Context(), "mirrored.example"); err != nil {
			t.Fatal(err)
		}
		if all, err := m.Domains(t.Context()); err != nil || len(all) == 0 {
			t.Fatalf("Domains = %d, %v; want some", len(all), err)
		}
		if _, err := m.Settings(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if asked := requests.Load() - before; asked > 1 { // the watch may begin just then
		t.Errorf("300 reads asked the API server %d times", asked)
	}
	_, err := m.Domain(t.Context(), "none.example")
	wantCode(t, "Domain", err, hosting.NotFound)
}

func TestMirrorFollows(t *testing.T) {
	s := newStore(t)
	m, _ := mirrored(t)
	d := created(t, s, "followed.example")
	shows(t, m, d.Name, "a new Domain", func(d *v1alpha1.Domain) bool { return d != nil })
	retitle(t, s, d.Name, "another")
	shows(t, m, d.Name, "a changed Domain", titled("another"))
	remove(t.Context(), t, s, d)
	shows(t, m, d.Name, "that it is gone", func(d *v1alpha1.Domain) bool { return d == nil })
}

// Who wrote must see it in the next page, however late the watch is.
func TestMirrorKnowsWhatItWrote(t *testing.T) {
	s := newStore(t)
	m := kube.NewMirror(s, nil) // it does not run, so nothing comes by a watch
	d := domain("written.example")
	if err := m.CreateDomain(t.Context(), d, false); err != nil {
		t.Fatal(err)
	}
	was, err := m.Domain(t.Context(), d.Name)
	if err != nil {
		t.Fatal(err)
	}
	now := was.DeepCopy()
	now.Spec.Title = "ours"
	if err := m.ChangeDomain(t.Context(), was, now, false); err != nil {
		t.Fatal(err)
	}
	if now, err := m.Domain(t.Context(), d.Name); err != nil || now.Spec.Title != "ours" {
		t.Errorf("Domain after a change = %v, %v; want the new title", now, err)
	}
	if err := m.DeleteDomain(t.Context(), now, false); err != nil {
		t.Fatal(err)
	}
	if now, err := m.Domain(t.Context(), d.Name); err != nil || now.DeletionTimestamp.IsZero() {
		t.Errorf("Domain after its deletion = %v, %v; want it being deleted", now, err)
	}
	if err := cluster.LetGo(t.Context(), d.Name); err != nil {
		t.Fatal(err)
	}
}

// A change that met somebody else's is made anew on the newest version, which the
// mirror must have by then.
func TestMirrorIsFreshAfterAConflict(t *testing.T) {
	s := newStore(t)
	m := kube.NewMirror(s, nil)
	d := domain("contested.example")
	if err := m.CreateDomain(t.Context(), d, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		remove(context.Background(), t, s, d)
	})
	retitle(t, s, d.Name, "theirs")
	was, err := m.Domain(t.Context(), d.Name)
	if err != nil {
		t.Fatal(err)
	}
	now := was.DeepCopy()
	now.Spec.Title = "ours"
	wantCode(t, "ChangeDomain", m.ChangeDomain(t.Context(), was, now, false), hosting.Conflict)
	if now, err := m.Domain(t.Context(), d.Name); err != nil || now.Spec.Title != "theirs" {
		t.Errorf("Domain after a conflict = %v, %v; want the newest", now, err)
	}
}

// What another panel wrote is waited for until the watch has told of it, or of later.
func TestMirrorTellsWhenItIsAsNewAsAVersion(t *testing.T) {
	s := newStore(t)
	m, requests := mirrored(t)
	d := created(t, s, "awaited.example")
	until := func(limit time.Duration, version string) bool {
		ctx, done := context.WithTimeout(t.Context(), limit)
		defer done()
		return m.Follow(ctx, d.Name, version)
	}
	before := requests.Load()
	if !until(30*time.Second, d.ResourceVersion) {
		t.Fatalf("version %s did not come within 30 s", d.ResourceVersion)
	}
	if _, err := m.Domain(t.Context(), d.Name); err != nil {
		t.Errorf("Domain after its version came = %v", err)
	}
	if until(50*time.Millisecond, d.ResourceVersion+"0") {
		t.Error("a version that is far ahead is there")
	}
	// While it waits, the next change comes.
	next := make(chan bool)
	go func() { next <- until(30*time.Second, "1"+strings.Repeat("0", len(d.ResourceVersion)-1)) }()
	retitle(t, s, d.Name, "another")
	if !<-next {
		t.Error("a version that is not ahead did not come")
	}
	now, err := s.Domain(t.Context(), d.Name)
	if err != nil {
		t.Fatal(err)
	}
	remove(t.Context(), t, s, now)
	shows(t, m, d.Name, "that it is gone", func(d *v1alpha1.Domain) bool { return d == nil })
	if !until(30*time.Second, now.ResourceVersion) {
		t.Error("a version of a Domain that is gone is waited for")
	}
	if !until(0, "not a version") {
		t.Error("what can't be compared is waited for")
	}
	if asked := requests.Load() - before; asked > 1 { // the watch may begin just then
		t.Errorf("waiting asked the API server %d times", asked)
	}
}
