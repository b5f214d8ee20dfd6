package kube_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/kubetest"
)

var cluster *kubetest.Cluster

func TestMain(m *testing.M) { os.Exit(kubetest.Run(m, &cluster)) }

const systemNamespace = "kubepanel-system"

func newStore(t *testing.T) kube.Store {
	t.Helper()
	s, err := kube.NewStore(cluster.Config, systemNamespace)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// domain is one that the API server takes.
func domain(name string) *v1alpha1.Domain {
	return &v1alpha1.Domain{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.DomainSpec{
			DomainName: name,
			Workload:   v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"},
			Resources:  v1alpha1.ResourcesSpec{Storage: "5Gi", Limits: v1alpha1.LimitsSpec{CPU: "1000m", Memory: "512Mi"}},
		},
	}
}

// created makes a Domain that is gone after the test.
func created(t *testing.T, s kube.Store, name string) *v1alpha1.Domain {
	t.Helper()
	d := domain(name)
	if err := s.CreateDomain(t.Context(), d, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // with a context of its own: the test's has ended
		if now, err := s.Domain(context.Background(), name); err == nil {
			remove(context.Background(), t, s, now)
		}
	})
	return d
}

// remove deletes a Domain and waits for no operator.
func remove(ctx context.Context, t *testing.T, s kube.Store, d *v1alpha1.Domain) {
	t.Helper()
	if err := s.DeleteDomain(ctx, d, false); err != nil {
		t.Error(err)
		return
	}
	if err := cluster.LetGo(ctx, d.Name); err != nil {
		t.Error(err)
	}
}

func wantCode(t *testing.T, what string, err error, code hosting.Code, says ...string) {
	t.Helper()
	if err == nil || hosting.CodeOf(err) != code {
		t.Errorf("%s = %v (%s), want %s", what, err, hosting.CodeOf(err), code)
		return
	}
	for _, want := range says {
		if text := err.Error(); !strings.Contains(text, want) {
			t.Errorf("%s = %q, want it to say %q", what, text, want)
		}
	}
}

func TestDomainIsCreatedOnce(t *testing.T) {
	s := newStore(t)
	const name = "once.example"
	if err := s.CreateDomain(t.Context(), domain(name), true); err != nil {
		t.Fatalf("CreateDomain(dry run) = %v", err)
	}
	_, err := s.Domain(t.Context(), name)
	wantCode(t, "Domain after a dry run", err, hosting.NotFound)

	d := created(t, s, name)
	if d.UID == "" || d.Kind != "Domain" || d.APIVersion != "kubepanel.io/v1alpha1" || d.ManagedFields != nil {
		t.Errorf("CreateDomain filled in %+v, want what kubectl shows", d.ObjectMeta)
	}
	wantCode(t, "CreateDomain again", s.CreateDomain(t.Context(), domain(name), false), hosting.Conflict)

	bad := domain("bad.example")
	bad.Spec.Resources.Storage, bad.Spec.DomainName = "5GB", "10.0.0.1"
	wantCode(t, "CreateDomain(bad)", s.CreateDomain(t.Context(), bad, true), hosting.Invalid,
		"spec.resources.storage", "whole number of gibibytes", "an IP address is not a domain name")
}

// Of two people who ask for one name at the same moment, one gets it.
func TestOneOfManyGetsTheName(t *testing.T) {
	s := newStore(t)
	panel := &hosting.Panel{Domains: s, Writer: s, Platform: s}
	withSettings(t, platformFile(t))
	const people = 8
	results := make([]error, people)
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			_, results[i] = panel.CreateSite(t.Context(), hosting.NewSite{Name: "race.example", Storage: "1Gi", CPU: "1", Memory: "256Mi"}, false)
		})
	}
	all.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
			continue
		}
		wantCode(t, "CreateSite", err, hosting.Conflict, "race.example is taken")
	}
	if won != 1 {
		t.Errorf("%d of %d got the name, want one", won, people)
	}
	d, err := s.Domain(t.Context(), "race.example")
	if err != nil {
		t.Fatal(err)
	}
	remove(t.Context(), t, s, d)
}

func TestChangeSendsOnlyTheDifference(t *testing.T) {
	s := newStore(t)
	created(t, s, "change.example")
	was, err := s.Domain(t.Context(), "change.example")
	if err != nil {
		t.Fatal(err)
	}
	d := was.DeepCopy()
	d.Spec.Workload.Version = "8.2"
	if err := s.ChangeDomain(t.Context(), was, d, true); err != nil {
		t.Fatalf("ChangeDomain(dry run) = %v", err)
	}
	if now, err := s.Domain(t.Context(), was.Name); err != nil || now.Generation != was.Generation {
		t.Errorf("after a dry run: generation %d, %v, want %d", now.Generation, err, was.Generation)
	}
	d = was.DeepCopy()
	d.Spec.Workload.Version = "8.2"
	if err := s.ChangeDomain(t.Context(), was, d, false); err != nil {
		t.Fatalf("ChangeDomain = %v", err)
	}
	if d.Spec.Workload.Version != "8.2" || d.Generation != was.Generation+1 || d.Kind == "" {
		t.Errorf("ChangeDomain left %+v", d)
	}
	late := was.DeepCopy()
	late.Spec.Title = "late"
	wantCode(t, "ChangeDomain of an old version", s.ChangeDomain(t.Context(), was, late, false), hosting.Conflict)

	shrunk := d.DeepCopy()
	shrunk.Spec.Resources.Storage = "1Gi"
	wantCode(t, "ChangeDomain that shrinks", s.ChangeDomain(t.Context(), d, shrunk, false), hosting.Invalid, "never shrink")
}

func TestDeleteNeverHitsALaterSite(t *testing.T) {
	s := newStore(t)
	d := created(t, s, "delete.example")
	other := d.DeepCopy()
	other.UID = "an-earlier-site"
	wantCode(t, "DeleteDomain of an earlier site", s.DeleteDomain(t.Context(), other, false), hosting.Conflict)
	if err := s.DeleteDomain(t.Context(), d, true); err != nil {
		t.Fatalf("DeleteDomain(dry run) = %v", err)
	}
	if _, err := s.Domain(t.Context(), d.Name); err != nil {
		t.Fatalf("the site is gone after a dry run: %v", err)
	}
	if err := s.DeleteDomain(t.Context(), d, false); err != nil {
		t.Fatal(err)
	}
	if now, err := s.Domain(t.Context(), d.Name); err != nil || now.DeletionTimestamp.IsZero() {
		t.Errorf("a Domain whose site is still there = %v, %v; want it being deleted", now, err)
	}
	if err := cluster.LetGo(t.Context(), d.Name); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "DeleteDomain again", s.DeleteDomain(t.Context(), d, false), hosting.NotFound)
}

func TestDomainsAreListed(t *testing.T) {
	s := newStore(t)
	for i := range 3 {
		created(t, s, fmt.Sprintf("list-%d.example", i))
	}
	all, err := s.Domains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range all {
		if strings.HasPrefix(d.Name, "list-") && d.Kind == "Domain" && d.ManagedFields == nil {
			n++
		}
	}
	if n != 3 {
		t.Errorf("Domains found %d of 3 in %d", n, len(all))
	}
}

func TestSettings(t *testing.T) {
	s := newStore(t)
	_, err := s.Settings(t.Context())
	wantCode(t, "Settings of a bare cluster", err, hosting.NotInstalled, systemNamespace, "make up")
	file := withSettings(t, "namespace: [nonsense")
	_, err = s.Settings(t.Context())
	wantCode(t, "Settings of nonsense", err, hosting.NotInstalled, "can't be used")
	file.Data["platform.yaml"] = platformFile(t)
	if err := cluster.Client.Update(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Settings(t.Context()); err != nil || got.Runtimes["php"].Default != "8.4" {
		t.Errorf("Settings = %+v, %v", got, err)
	}
}

func TestSecretIsReadOrNotThere(t *testing.T) {
	s := newStore(t)
	ensure(t, secret("kubepanel-ca", map[string]string{"tls.crt": "PEM"}))
	got, err := s.Secret(t.Context(), systemNamespace, "kubepanel-ca")
	if err != nil || string(got["tls.crt"]) != "PEM" {
		t.Errorf("Secret = %v, %v", got, err)
	}
	_, err = s.Secret(t.Context(), systemNamespace, "nothing")
	wantCode(t, "Secret(nothing)", err, hosting.NotFound)
}

func TestAnEndedContextIsNoFaultOfTheCluster(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := newStore(t).Domains(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Domains = %v, want the context's own error", err)
	}
}
