package cli

import (
	"context"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// fakeCluster keeps sites in memory and plays what an operator would do.
type fakeCluster struct {
	sites    []*v1alpha1.Domain
	settings *platform.Settings
	secrets  map[string]map[string][]byte
	events   []hosting.Event
	nodes    []hosting.Node
	// workloads by name; one that is missing is not installed.
	workloads map[string]hosting.Workload
	// classes are storage classes, the first the default one.
	classes []string
	// plan is the answer to every question for one.
	plan *hosting.Plan
	// err, when set, is the answer to everything.
	err error
	// story is what watchers see, one scene after another.
	story []scene
}

// scene is a change of the site that is watched; do returns nil when it is gone.
type scene struct {
	after time.Duration
	do    func(*v1alpha1.Domain) *v1alpha1.Domain
}

func newFake(t *testing.T) *fakeCluster {
	t.Helper()
	data, err := os.ReadFile("../../api/platform/testdata/platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := platform.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeCluster{
		settings: settings,
		secrets:  map[string]map[string][]byte{},
		nodes:    []hosting.Node{{Name: "one", UserNamespaces: true, Version: "v1.36.3", Ready: true}},
		classes:  []string{"fast"},
		workloads: map[string]hosting.Workload{
			"kubepanel-operator": {Want: 1, Ready: 1}, "kubepanel-edge": {Want: 1, Ready: 1}, "mariadb": {Want: 1, Ready: 1},
		},
	}
}

func (f *fakeCluster) Domain(_ context.Context, object string) (*v1alpha1.Domain, error) {
	for _, d := range f.sites {
		if d.Name == object && f.err == nil {
			return d.DeepCopy(), nil
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return nil, &hosting.Error{Code: hosting.NotFound}
}

func (f *fakeCluster) Domains(context.Context) ([]v1alpha1.Domain, error) {
	var all []v1alpha1.Domain
	for _, d := range f.sites {
		all = append(all, *d.DeepCopy())
	}
	return all, f.err
}

func (f *fakeCluster) CreateDomain(_ context.Context, d *v1alpha1.Domain, dryRun bool) error {
	if dryRun || f.err != nil {
		return f.err
	}
	d.UID, d.Generation, d.CreationTimestamp = "0b6f2f1e", 1, metav1.Now()
	f.sites = append(f.sites, d.DeepCopy())
	return nil
}

func (f *fakeCluster) ChangeDomain(_ context.Context, _, d *v1alpha1.Domain, dryRun bool) error {
	if dryRun || f.err != nil {
		return f.err
	}
	d.Generation++
	for i := range f.sites {
		if f.sites[i].Name == d.Name {
			f.sites[i] = d.DeepCopy()
		}
	}
	return nil
}

func (f *fakeCluster) DeleteDomain(_ context.Context, d *v1alpha1.Domain, dryRun bool) error {
	if dryRun || f.err != nil {
		return f.err
	}
	for _, s := range f.sites {
		if s.Name == d.Name {
			s.DeletionTimestamp = new(metav1.Now())
			s.Generation++
		}
	}
	return nil
}

func (f *fakeCluster) WatchDomain(ctx context.Context, d *v1alpha1.Domain, see func(*v1alpha1.Domain) error) error {
	now, err := f.Domain(ctx, d.Name)
	if err != nil {
		return err
	}
	if err := see(now); err != nil {
		return err
	}
	for _, s := range f.story {
		select {
		case <-time.After(s.after):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if now = s.do(now.DeepCopy()); now != nil {
			now.Status.ObservedGeneration = now.Generation
		}
		if err := see(now); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

func (f *fakeCluster) Events(context.Context, *v1alpha1.Domain) ([]hosting.Event, error) {
	return f.events, f.err
}

func (f *fakeCluster) Settings(context.Context) (*platform.Settings, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.settings, nil
}

func (f *fakeCluster) Secret(_ context.Context, namespace, name string) (map[string][]byte, error) {
	if s, ok := f.secrets[namespace+"/"+name]; ok {
		return s, f.err
	}
	return nil, &hosting.Error{Code: hosting.NotFound}
}

func (f *fakeCluster) Nodes(context.Context) ([]hosting.Node, error) { return f.nodes, f.err }

func (f *fakeCluster) Workload(_ context.Context, w hosting.WorkloadName) (hosting.Workload, error) {
	if state, ok := f.workloads[w.Name]; ok {
		return state, f.err
	}
	return hosting.Workload{}, &hosting.Error{Code: hosting.NotFound}
}

func (f *fakeCluster) Isolation(context.Context, string) (verdict, message string, err error) {
	return platform.PoliciesEnforced, "Tried at 2 addresses of the edge, in both directions.", nil
}

func (f *fakeCluster) StorageClass(_ context.Context, name string) (string, error) {
	for _, c := range f.classes {
		if name == "" || c == name {
			return c, nil
		}
	}
	return "", &hosting.Error{Code: hosting.NotFound}
}

func (f *fakeCluster) Plan(_ context.Context, was, d *v1alpha1.Domain) (*hosting.Plan, error) {
	if d == nil {
		d = was
	}
	p := *f.plan
	p.Site = d.Spec.DomainName
	return &p, f.err
}

// set changes one condition, as the operator would.
func set(d *v1alpha1.Domain, kind string, status metav1.ConditionStatus, reason, message string) {
	c := metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: d.Generation, LastTransitionTime: metav1.Now()}
	for i, was := range d.Status.Conditions {
		if was.Type == kind {
			if was.Status == status {
				c.LastTransitionTime = was.LastTransitionTime
			}
			d.Status.Conditions[i] = c
			return
		}
	}
	d.Status.Conditions = append(d.Status.Conditions, c)
}
