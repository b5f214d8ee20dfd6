package gateway

import (
	"context"
	"errors"
	"sync"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/feed"
)

// Watcher keeps a directory as the Domains are, and where their pods are.
type Watcher struct {
	client  client.WithWatch
	domains *feed.Feed[*v1alpha1.Domain]
	slices  *feed.Feed[*discoveryv1.EndpointSlice]
	synced  chan struct{}
}

// NewWatcher returns a watcher that has seen nothing yet. c knows the kinds of AddToScheme.
func NewWatcher(c client.WithWatch, d *Directory) *Watcher {
	return &Watcher{
		client:  c,
		domains: feed.New(d.Put, func(n types.NamespacedName) { d.Remove(n.Name) }, func(*v1alpha1.Domain) {}),
		slices:  feed.New(d.PutSlice, d.RemoveSlice, func(*discoveryv1.EndpointSlice) {}),
		synced:  make(chan struct{}),
	}
}

// AddToScheme names the kinds that a Watcher reads.
func AddToScheme(s *runtime.Scheme) error {
	return errors.Join(v1alpha1.AddToScheme(s), discoveryv1.AddToScheme(s))
}

// Synced is closed once all was seen.
func (w *Watcher) Synced() <-chan struct{} { return w.synced }

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	// What Kubernetes makes of a site's Service has the Service's labels.
	ofSites := labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelComponent: v1alpha1.ComponentSite}
	all.Go(func() { w.domains.Run(ctx, listWatch[v1alpha1.DomainList](w.client, nil)) })
	all.Go(func() { w.slices.Run(ctx, listWatch[discoveryv1.EndpointSliceList](w.client, ofSites)) })
	for _, synced := range []<-chan struct{}{w.domains.Synced(), w.slices.Synced()} {
		select {
		case <-synced:
		case <-ctx.Done():
			return
		}
	}
	close(w.synced)
}

// listWatch lists and watches the objects of a kind that have those labels.
func listWatch[L any, PL interface {
	*L
	client.ObjectList
}](c client.WithWatch, having labels.Set,
) cache.ListerWatcher {
	options := func(o metav1.ListOptions) *client.ListOptions {
		o.LabelSelector = having.String()
		return &client.ListOptions{Raw: &o}
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list := PL(new(L))
			return list, c.List(ctx, list, options(o))
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return c.Watch(ctx, PL(new(L)), options(o))
		},
	}
}
