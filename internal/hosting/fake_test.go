package hosting_test

import (
	"context"
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// fakeCluster keeps objects in memory.
type fakeCluster struct {
	domains  []v1alpha1.Domain
	settings *platform.Settings
	secrets  map[string]map[string][]byte
	// conflicts is how many changes lose against somebody else first.
	conflicts int
	writes    int
}

func newFake(t *testing.T, sites ...v1alpha1.Domain) *fakeCluster {
	t.Helper()
	data, err := os.ReadFile("../../api/platform/testdata/platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := platform.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeCluster{domains: sites, settings: settings, secrets: map[string]map[string][]byte{}}
}

func (f *fakeCluster) panel() *hosting.Panel {
	return &hosting.Panel{Domains: f, Writer: f, Platform: f}
}

func (f *fakeCluster) Domain(_ context.Context, object string) (*v1alpha1.Domain, error) {
	for _, d := range f.domains {
		if d.Name == object {
			return d.DeepCopy(), nil
		}
	}
	return nil, &hosting.Error{Code: hosting.NotFound}
}

func (f *fakeCluster) Domains(context.Context) ([]v1alpha1.Domain, error) { return f.domains, nil }

func (f *fakeCluster) CreateDomain(_ context.Context, d *v1alpha1.Domain, dryRun bool) error {
	if !dryRun {
		f.writes++
		f.domains = append(f.domains, *d)
	}
	return nil
}

func (f *fakeCluster) ChangeDomain(_ context.Context, _, d *v1alpha1.Domain, dryRun bool) error {
	if f.conflicts > 0 {
		f.conflicts--
		return &hosting.Error{Code: hosting.Conflict}
	}
	if !dryRun {
		f.writes++
		for i := range f.domains {
			if f.domains[i].Name == d.Name {
				f.domains[i] = *d
			}
		}
	}
	return nil
}

func (f *fakeCluster) DeleteDomain(context.Context, *v1alpha1.Domain, bool) error {
	f.writes++
	return nil
}

func (f *fakeCluster) Settings(context.Context) (*platform.Settings, error) { return f.settings, nil }

func (f *fakeCluster) Secret(_ context.Context, namespace, name string) (map[string][]byte, error) {
	if s, ok := f.secrets[namespace+"/"+name]; ok {
		return s, nil
	}
	return nil, &hosting.Error{Code: hosting.NotFound}
}

// site is a Domain as somebody applied it.
func site(object, name string, aliases ...string) v1alpha1.Domain {
	d := v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: object, Generation: 1}}
	d.Spec.DomainName = name
	d.Spec.Workload = v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"}
	d.Spec.Resources.Storage = "5Gi"
	for _, a := range aliases {
		d.Spec.Aliases = append(d.Spec.Aliases, v1alpha1.DomainAlias{Name: a})
	}
	return d
}
