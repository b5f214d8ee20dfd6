package gateway

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// maxBackoff bounds the wait before a watch is tried again.
const maxBackoff = 5 * time.Second

// Watcher keeps a directory as the Domains are. It is the store of a reflector.
type Watcher struct {
	Client    client.WithWatch
	Directory *Directory

	mu     sync.Mutex
	known  map[string]struct{}
	once   sync.Once
	synced chan struct{}
}

// NewWatcher returns a watcher that has seen nothing yet.
func NewWatcher(c client.WithWatch, d *Directory) *Watcher {
	return &Watcher{Client: c, Directory: d, known: map[string]struct{}{}, synced: make(chan struct{})}
}

// Synced is closed once all Domains were seen.
func (w *Watcher) Synced() <-chan struct{} { return w.synced }

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	options := func(o metav1.ListOptions) *client.ListOptions { return &client.ListOptions{Raw: &o} }
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list := &v1alpha1.DomainList{}
			return list, w.Client.List(ctx, list, options(o))
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return w.Client.Watch(ctx, &v1alpha1.DomainList{}, options(o))
		},
	}
	cache.NewReflectorWithOptions(lw, &v1alpha1.Domain{}, w, cache.ReflectorOptions{
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 5, Cap: maxBackoff},
	}).RunWithContext(ctx)
}

// Add takes a new Domain.
func (w *Watcher) Add(obj any) error { return w.Update(obj) }

// Update takes a changed Domain.
func (w *Watcher) Update(obj any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d, ok := obj.(*v1alpha1.Domain); ok {
		w.known[d.Name] = struct{}{}
		w.Directory.Put(d)
	}
	return nil
}

// Delete forgets a Domain.
func (w *Watcher) Delete(obj any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d, ok := obj.(*v1alpha1.Domain); ok {
		delete(w.known, d.Name)
		w.Directory.Remove(d.Name)
	}
	return nil
}

// Replace takes a complete list.
func (w *Watcher) Replace(list []any, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	gone := w.known
	w.known = make(map[string]struct{}, len(list))
	for _, obj := range list {
		if d, ok := obj.(*v1alpha1.Domain); ok {
			w.known[d.Name] = struct{}{}
			delete(gone, d.Name)
			w.Directory.Put(d)
		}
	}
	for name := range gone {
		w.Directory.Remove(name)
	}
	w.once.Do(func() { close(w.synced) })
	return nil
}

// Resync has nothing to do: the directory is what is kept.
func (w *Watcher) Resync() error { return nil }
