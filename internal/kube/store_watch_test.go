package kube_test

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/kube"
)

var errEnough = errors.New("enough")

// watching follows d and hands on what it sees until the test ends.
func watching(t *testing.T, s kube.Store, d *v1alpha1.Domain) (news <-chan *v1alpha1.Domain, ended <-chan error) {
	t.Helper()
	seen, end := make(chan *v1alpha1.Domain, 100), make(chan error, 1)
	go func() {
		end <- s.WatchDomain(t.Context(), d, func(d *v1alpha1.Domain) error {
			seen <- d
			if d == nil {
				return errEnough
			}
			return nil
		})
	}()
	return seen, end
}

// await waits until a picture of the site is as wanted.
func await(t *testing.T, news <-chan *v1alpha1.Domain, what string, wanted func(*v1alpha1.Domain) bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case d := <-news:
			if wanted(d) {
				return
			}
		case <-limit:
			t.Fatalf("not seen within 30 s: %s", what)
		}
	}
}

func titled(title string) func(*v1alpha1.Domain) bool {
	return func(d *v1alpha1.Domain) bool { return d != nil && d.Spec.Title == title }
}

func retitle(t *testing.T, s kube.Store, name, title string) {
	t.Helper()
	was, err := s.Domain(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	d := was.DeepCopy()
	d.Spec.Title = title
	if err := s.ChangeDomain(t.Context(), was, d, false); err != nil {
		t.Fatal(err)
	}
}

func TestWatchSeesEverythingUntilTheEnd(t *testing.T) {
	s := newStore(t)
	created(t, s, "neighbour.example")
	d := created(t, s, "watch.example")
	news, ended := watching(t, s, d)
	await(t, news, "the present state", titled(""))
	retitle(t, s, "neighbour.example", "not ours")
	retitle(t, s, d.Name, "one")
	await(t, news, "a change", func(d *v1alpha1.Domain) bool {
		if d.Name != "watch.example" || d.Kind != "Domain" {
			t.Errorf("saw %s %s, want only the watched Domain", d.Kind, d.Name)
		}
		return d.Spec.Title == "one"
	})
	remove(t.Context(), t, s, d)
	await(t, news, "the deletion", func(d *v1alpha1.Domain) bool { return d == nil })
	if err := <-ended; !errors.Is(err, errEnough) {
		t.Errorf("WatchDomain = %v, want what see answered", err)
	}
}

// A site that was deleted and made anew while nobody looked is another site.
func TestWatchTakesALaterSiteForTheEnd(t *testing.T) {
	s := newStore(t)
	d := created(t, s, "again.example")
	d.UID = "of-the-one-before"
	news, _ := watching(t, s, d)
	await(t, news, "that ours is gone", func(d *v1alpha1.Domain) bool { return d == nil })
}

func TestWatchOutlivesALostConnection(t *testing.T) {
	direct := newStore(t)
	road := newRoad(t, cluster.Config.Host)
	config := rest.CopyConfig(cluster.Config)
	config.Host = "https://" + road.address()
	s, err := kube.NewStore(config, systemNamespace)
	if err != nil {
		t.Fatal(err)
	}
	d := created(t, direct, "road.example")
	news, _ := watching(t, s, d)
	await(t, news, "the present state", titled(""))
	road.block()
	retitle(t, direct, d.Name, "while away")
	_, err = s.Domains(t.Context())
	wantCode(t, "Domains on a blocked road", err, hosting.Unreachable, road.address(), "make up")
	road.open()
	await(t, news, "what happened meanwhile", titled("while away"))
	retitle(t, direct, d.Name, "back")
	await(t, news, "what happened then", titled("back"))
}

func TestWatchEndsWithItsContext(t *testing.T) {
	s := newStore(t)
	d := created(t, s, "end.example")
	why := errors.New("time is over")
	ctx, stop := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, why)
	defer stop()
	err := s.WatchDomain(ctx, d, func(*v1alpha1.Domain) error { return nil })
	if !errors.Is(err, why) {
		t.Errorf("WatchDomain = %v, want the cause of its context", err)
	}
}

func TestWatchEndsWhenItIsForbidden(t *testing.T) {
	config := rest.CopyConfig(cluster.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "stranger"}
	s, err := kube.NewStore(config, systemNamespace)
	if err != nil {
		t.Fatal(err)
	}
	err = s.WatchDomain(t.Context(), &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: "x.example"}},
		func(*v1alpha1.Domain) error { return nil })
	wantCode(t, "WatchDomain", err, hosting.Forbidden)
}
