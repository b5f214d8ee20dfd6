package watch

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

// maxBackoff bounds the wait before a watch is tried again, so that the edge has
// caught up seconds after an API server came back.
const maxBackoff = 5 * time.Second

// object is a pointer to a typed API object.
type object interface {
	runtime.Object
	metav1.Object
}

// feed hands the objects of one kind on as they come, and remembers only their
// names, to tell what is gone after a new list. It is the store of a reflector.
type feed[T object] struct {
	put    func(T)
	remove func(types.NamespacedName)
	// strip takes away what put does not read, before a first list piles up.
	strip func(T)

	mu     sync.Mutex
	known  map[types.NamespacedName]struct{}
	once   sync.Once
	synced chan struct{}
}

func newFeed[T object](put func(T), remove func(types.NamespacedName), strip func(T)) *feed[T] {
	return &feed[T]{
		put: put, remove: remove, strip: strip,
		known:  map[types.NamespacedName]struct{}{},
		synced: make(chan struct{}),
	}
}

// run lists and watches until ctx ends.
func (f *feed[T]) run(ctx context.Context, lw cache.ListerWatcher) {
	// The zero T tells the reflector the type; it is never looked into.
	var kind T
	cache.NewReflectorWithOptions(lw, kind, f, cache.ReflectorOptions{
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 5, Cap: maxBackoff},
	}).RunWithContext(ctx)
}

// Add takes a new object.
func (f *feed[T]) Add(obj any) error { return f.Update(obj) }

// Update takes a changed object.
func (f *feed[T]) Update(obj any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o, ok := obj.(T); ok {
		f.known[nameOf(o)] = struct{}{}
		f.put(o)
	}
	return nil
}

// Delete forgets an object.
func (f *feed[T]) Delete(obj any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o, ok := obj.(T); ok {
		delete(f.known, nameOf(o))
		f.remove(nameOf(o))
	}
	return nil
}

// Replace takes a complete list.
func (f *feed[T]) Replace(list []any, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := f.known
	f.known = make(map[types.NamespacedName]struct{}, len(list))
	for _, obj := range list {
		if o, ok := obj.(T); ok {
			name := nameOf(o)
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
func (f *feed[T]) Resync() error { return nil }

// Transformer strips objects as they come from the wire.
func (f *feed[T]) Transformer() cache.TransformFunc {
	return func(obj any) (any, error) {
		if o, ok := obj.(T); ok {
			o.SetManagedFields(nil)
			f.strip(o)
		}
		return obj, nil
	}
}

func nameOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}
