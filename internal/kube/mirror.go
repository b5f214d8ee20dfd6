package kube

import (
	"context"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// Mirror is a Store that keeps every Domain in memory as the API server has them,
// and reads Domains and the platform's settings from there alone: a page costs the
// API server nothing. What it writes it knows at once, without waiting for the
// watch. Domains that it returns are shared and must not be changed; hosting copies
// what it changes.
type Mirror struct {
	Store
	Platform *platform.Settings

	mu      sync.RWMutex
	domains map[string]*v1alpha1.Domain
	// told is the version up to which the watch has told everything, and waiting is closed
	// when there is more; nil while nobody waits.
	told    string
	waiting chan struct{}
	once    sync.Once
	synced  chan struct{}
}

var (
	_ hosting.DomainReader = (*Mirror)(nil)
	_ hosting.DomainWriter = (*Mirror)(nil)
	_ hosting.Platform     = (*Mirror)(nil)
	_ hosting.Follower     = (*Mirror)(nil)
)

// NewMirror returns a mirror that has seen nothing yet.
func NewMirror(s Store, settings *platform.Settings) *Mirror {
	return &Mirror{Store: s, Platform: settings, domains: map[string]*v1alpha1.Domain{}, synced: make(chan struct{})}
}

// Synced is closed once all Domains were seen.
func (m *Mirror) Synced() <-chan struct{} { return m.synced }

// Run keeps the mirror as the API server is, until ctx ends.
func (m *Mirror) Run(ctx context.Context) {
	options := func(o metav1.ListOptions) *client.ListOptions { return &client.ListOptions{Raw: &o} }
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list := &v1alpha1.DomainList{}
			return list, m.Client.List(ctx, list, options(o))
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return m.Client.Watch(ctx, &v1alpha1.DomainList{}, options(o))
		},
	}
	cache.NewReflectorWithOptions(InPages(lw, &v1alpha1.Domain{}), &v1alpha1.Domain{}, seen{m}, cache.ReflectorOptions{
		Backoff: &wait.Backoff{Duration: firstRetry, Factor: 2, Jitter: 0.5, Steps: 5, Cap: lastRetry},
	}).RunWithContext(ctx)
}

// Domain implements hosting.DomainReader.
func (m *Mirror) Domain(_ context.Context, object string) (*v1alpha1.Domain, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if d, ok := m.domains[object]; ok {
		return d, nil
	}
	return nil, &hosting.Error{Code: hosting.NotFound, Message: "There is no such thing: domain " + object + "."}
}

// Domains implements hosting.DomainReader.
func (m *Mirror) Domains(context.Context) ([]v1alpha1.Domain, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := make([]v1alpha1.Domain, 0, len(m.domains))
	for _, d := range m.domains {
		all = append(all, *d)
	}
	return all, nil
}

// Follow implements hosting.Follower. A Domain that the watch has told as gone is as new
// as any version before.
func (m *Mirror) Follow(ctx context.Context, object, version string) bool {
	for {
		more := m.behind(object, version)
		if more == nil {
			return true
		}
		select {
		case <-more:
		case <-ctx.Done():
			return false
		}
	}
}

// behind returns nil when the mirror is as new as a version of a Domain, and else what is
// closed when it is newer than now. Versions that can't be compared are as new.
func (m *Mirror) behind(object, version string) <-chan struct{} {
	m.mu.RLock()
	behind := m.older(object, version)
	m.mu.RUnlock()
	if !behind {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.older(object, version) {
		return nil
	}
	if m.waiting == nil {
		m.waiting = make(chan struct{})
	}
	return m.waiting
}

func (m *Mirror) older(object, version string) bool {
	if d, ok := m.domains[object]; ok && before(d.ResourceVersion, version) <= 0 {
		return false
	}
	return before(m.told, version) > 0
}

// before is positive when version a is older than b, and 0 when they are the same or
// can't be compared.
func before(a, b string) int {
	if a == "" {
		return 1 // nothing was told yet
	}
	order, err := resourceversion.CompareResourceVersion(b, a)
	if err != nil {
		return 0
	}
	return order
}

// wake has those who wait look again. m is locked.
func (m *Mirror) wake() {
	if m.waiting != nil {
		close(m.waiting)
		m.waiting = nil
	}
}

// Settings implements hosting.Platform: those that the program was started with. A
// change of them starts it anew.
func (m *Mirror) Settings(context.Context) (*platform.Settings, error) { return m.Platform, nil }

// CreateDomain implements hosting.DomainWriter.
func (m *Mirror) CreateDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	err := m.Store.CreateDomain(ctx, d, dryRun)
	if err == nil && !dryRun {
		m.put(d.DeepCopy())
	}
	return err
}

// ChangeDomain implements hosting.DomainWriter. After a conflict the mirror has the
// newest version, so that the change can be made anew on that.
func (m *Mirror) ChangeDomain(ctx context.Context, was, d *v1alpha1.Domain, dryRun bool) error {
	err := m.Store.ChangeDomain(ctx, was, d, dryRun)
	switch {
	case err != nil && hosting.CodeOf(err) == hosting.Conflict:
		m.refresh(ctx, d.Name)
	case err == nil && !dryRun:
		m.put(d.DeepCopy())
	}
	return err
}

// DeleteDomain implements hosting.DomainWriter.
func (m *Mirror) DeleteDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	err := m.Store.DeleteDomain(ctx, d, dryRun)
	if err == nil && !dryRun {
		m.refresh(ctx, d.Name)
	}
	return err
}

// refresh reads one Domain anew; what can't be read comes by the watch.
func (m *Mirror) refresh(ctx context.Context, object string) {
	d, err := m.Store.Domain(ctx, object)
	switch {
	case err == nil:
		m.put(d)
	case hosting.CodeOf(err) == hosting.NotFound:
		m.drop(object)
	}
}

// put takes a Domain unless a newer version of it is there.
func (m *Mirror) put(d *v1alpha1.Domain) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if have, ok := m.domains[d.Name]; ok {
		if order, err := resourceversion.CompareResourceVersion(have.ResourceVersion, d.ResourceVersion); err == nil && order > 0 {
			return
		}
	}
	m.domains[d.Name] = named(d)
	m.wake()
}

func (m *Mirror) drop(object string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.domains, object)
}

// seen takes what the watch tells.
type seen struct{ *Mirror }

// Add takes a new Domain.
func (s seen) Add(obj any) error { return s.Update(obj) }

// Update takes a changed Domain.
func (s seen) Update(obj any) error {
	if d, ok := obj.(*v1alpha1.Domain); ok {
		s.put(d)
	}
	return nil
}

// Delete forgets a Domain.
func (s seen) Delete(obj any) error {
	if d, ok := obj.(*v1alpha1.Domain); ok {
		s.drop(d.Name)
	}
	return nil
}

// Replace takes a complete list.
func (s seen) Replace(list []any, version string) error {
	all := make(map[string]*v1alpha1.Domain, len(list))
	for _, obj := range list {
		if d, ok := obj.(*v1alpha1.Domain); ok {
			all[d.Name] = named(d)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.domains, s.told = all, version
	s.wake()
	s.once.Do(func() { close(s.synced) })
	return nil
}

// UpdateResourceVersion takes up to where the watch has told everything, after each event
// and bookmark (cache.ResourceVersionUpdater).
func (s seen) UpdateResourceVersion(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = version
	s.wake()
}

// Resync has nothing to do: the mirror is what is kept.
func (s seen) Resync() error { return nil }
