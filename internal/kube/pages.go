package kube

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
)

// pageSize is how many objects a page has: the more, the more memory it takes where it
// is decoded whole, the fewer, the more requests.
const pageSize = 250

// InPages has a reflector begin with pages of a list, as fresh as can be, in place of a
// watch that tells all there is. Of such a watch each object is a message of its own,
// and one in JSON is parsed as an event and once more as itself: that was half of what
// a start with 1,000 Domains cost. like is what is listed.
func InPages(lw cache.ListerWatcher, like runtime.Object) cache.ListerWatcher {
	return newPages(lw, like)
}

func newPages(lw cache.ListerWatcher, like runtime.Object) *inPages {
	return &inPages{ListerWatcher: lw, ListerWatcherWithContext: cache.ToListerWatcherWithContext(lw), like: like}
}

// InformInPages has an informer begin with pages of a list. Where ReadItems is part of
// the way to the API server, read makes the objects of them, or of JSON the decoder of
// what like is; elsewhere, and with a nil read, the informer's transform is done page by
// page. Either way the list is never in memory as it comes, and the transform gets its
// objects once more.
func InformInPages(lw cache.ListerWatcher, like runtime.Object, read Reader, make func(cache.ListerWatcher) cache.SharedIndexInformer) cache.SharedIndexInformer {
	pages := newPages(lw, like)
	pages.read = read
	return pagesInformer{make(pages), pages}
}

type pagesInformer struct {
	cache.SharedIndexInformer
	pages *inPages
}

// SetTransform implements cache.SharedInformer. It is called before the informer runs.
func (i pagesInformer) SetTransform(transform cache.TransformFunc) error {
	i.pages.transform = transform
	return i.SharedIndexInformer.SetTransform(transform)
}

type inPages struct {
	cache.ListerWatcher
	cache.ListerWatcherWithContext
	like      runtime.Object
	read      Reader              // nil leaves Kubernetes' own kinds to the decoder
	transform cache.TransformFunc // nil for none
}

// ListWithContext implements cache.ListerWithContext.
func (p *inPages) ListWithContext(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	if o.ResourceVersion == "0" { // the API server's cache knows no pages
		o.ResourceVersion = ""
	}
	o.Limit = min(o.Limit, pageSize)
	apart := &items{read: p.read, like: p.like, keep: p.transform}
	page, err := p.ListerWatcherWithContext.ListWithContext(context.WithValue(ctx, itemsKey{}, apart), o)
	if err != nil {
		return nil, err
	}
	return p.complete(page, apart.objects)
}

// complete is a page with the objects that were read apart from it, and all others
// transformed.
func (p *inPages) complete(page runtime.Object, objects []runtime.Object) (runtime.Object, error) {
	head, err := meta.ListAccessor(page)
	if err != nil {
		return nil, fmt.Errorf("read a list: %w", err)
	}
	err = meta.EachListItemWithAlloc(page, func(o runtime.Object) error {
		o, err := transformed(p.transform, o)
		objects = append(objects, o)
		return err
	})
	return &metainternalversion.List{Items: objects, ListMeta: metav1.ListMeta{
		ResourceVersion: head.GetResourceVersion(), Continue: head.GetContinue(), RemainingItemCount: head.GetRemainingItemCount(),
	}}, err
}

// transformed is an object as a cache keeps it.
func transformed(keep cache.TransformFunc, o runtime.Object) (runtime.Object, error) {
	if keep == nil {
		return o, nil
	}
	out, err := keep(o)
	if err != nil {
		return nil, err
	}
	small, ok := out.(runtime.Object)
	if !ok {
		return nil, fmt.Errorf("a transform made %T of %T", out, o)
	}
	return small, nil
}

// IsWatchListSemanticsUnSupported is what a reflector asks for.
func (*inPages) IsWatchListSemanticsUnSupported() bool { return true }
