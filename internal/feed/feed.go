// Package feed hands objects on as the API server tells of them, and keeps none.
package feed

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
)

// maxBackoff bounds the wait before a watch is tried again, so that who listens has
// caught up seconds after an API server came back.
const maxBackoff = 5 * time.Second

// Object is a pointer to a typed API object.
type Object interface {
	runtime.Object
	metav1.Object
}

// Feed hands the objects of one kind on as they come, and remembers only their
// names, to tell what is gone after a new list. It is the store of a reflector.
type Feed[T Object] struct {
	put    func(T)
	remove func(types.NamespacedName)
	strip  func(T) // as it comes from the wire, before a first list piles up

	mu     sync.Mutex
	known  map[types.NamespacedName]struct{}
	once   sync.Once
	synced chan struct{}
}

// New returns a feed that calls put for each new or changed object and remove for each
// that is gone, one at a time. strip takes away what put does not read.
func New[T Object](put func(T), remove func(types.NamespacedName), strip func(T)) *Feed[T] {
	return &Feed[T]{
		put: put, remove: remove, strip: strip,
		known:  map[types.NamespacedName]struct{}{},
		synced: make(chan struct{}),
	}
}

// Synced is closed once a first list was handed on.
func (f *Feed[T]) Synced() <-chan struct{} { return f.synced }

// Run lists and watches until ctx ends.
func (f *Feed[T]) Run(ctx context.Context, lw cache.ListerWatcher) {
	// The zero T tells the reflector the type; it is never looked into.
	var kind T
	cache.NewReflectorWithOptions(lw, kind, f, cache.ReflectorOptions{
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 5, Cap: maxBackoff},
	}).RunWithContext(ctx)
}

// Add takes a new object.
func (f *Feed[T]) Add(obj any) error { return f.Update(obj) }

// Update takes a changed object.
func (f *Feed[T]) Update(obj any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o, ok := obj.(T); ok {
		f.known[cache.MetaObjectToName(o).AsNamespacedName()] = struct{}{}
		f.put(o)
	}
	return nil
}

// Delete forgets an object.
func (f *Feed[T]) Delete(obj any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o, ok := obj.(T); ok {
		name := cache.MetaObjectToName(o).AsNamespacedName()
		delete(f.known, name)
		f.remove(name)
	}
	return nil
}

// Replace takes a complete list.
func (f *Feed[T]) Replace(list []any, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := f.known
	f.known = make(map[types.NamespacedName]struct{}, len(list))
	for _, obj := range list {
		if o, ok := obj.(T); ok {
			name := cache.MetaObjectToName(o).AsNamespacedName()
			f.known[name] = struct{}{}
			delete(gone, name)
			f.put(o)
		}
	}
	for name := range gone {
		f.remove(name)
	}
	f.once.Do(func() { close(f.synced) })
	return nil
}

// Resync has nothing to do: what was handed on is kept there.
func (f *Feed[T]) Resync() error { return nil }

// Transformer strips objects as they come from the wire.
func (f *Feed[T]) Transformer() cache.TransformFunc {
	return func(obj any) (any, error) {
		if o, ok := obj.(T); ok {
			o.SetManagedFields(nil)
			f.strip(o)
		}
		return obj, nil
	}
}
