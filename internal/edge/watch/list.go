package watch

import (
	"context"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"kubepanel.io/kubepanel/internal/feed"
)

// lister is the part of a typed client that a feed needs.
type lister[L runtime.Object] interface {
	List(context.Context, metav1.ListOptions) (L, error)
	Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// one narrows a lister to a single name, so that the right to that one object is
// enough.
type one[L runtime.Object] struct {
	lister[L]
	name string
}

// List lists the one object.
func (o one[L]) List(ctx context.Context, opts metav1.ListOptions) (L, error) {
	opts.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, o.name).String()
	return o.lister.List(ctx, opts)
}

// Watch watches the one object.
func (o one[L]) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	opts.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, o.name).String()
	return o.lister.Watch(ctx, opts)
}

func start[T feed.Object, L runtime.Object](ctx context.Context, all *sync.WaitGroup, c *Cluster, f *feed.Feed[T], from lister[L]) {
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			return from.List(ctx, opts)
		},
		WatchFuncWithContext: from.Watch,
	}, c.Client)
	all.Go(func() { f.Run(ctx, lw) })
}
