package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
)

// InPages has a reflector begin with pages of a list, as fresh as can be, in place of a
// watch that tells all there is. An object of a watch in JSON is parsed as an event and
// once more as itself: that was half of what a start with 1,000 Domains costs. It is for
// kinds that are kept whole, since all of a list is in memory before anything is left
// out of it.
func InPages(lw cache.ListerWatcher) cache.ListerWatcher {
	return inPages{lw, cache.ToListerWatcherWithContext(lw)}
}

type inPages struct {
	cache.ListerWatcher
	cache.ListerWatcherWithContext
}

// ListWithContext implements cache.ListerWithContext.
func (p inPages) ListWithContext(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	if o.ResourceVersion == "0" { // the API server's cache knows no pages
		o.ResourceVersion = ""
	}
	return p.ListerWatcherWithContext.ListWithContext(ctx, o)
}

// IsWatchListSemanticsUnSupported is what a reflector asks for.
func (inPages) IsWatchListSemanticsUnSupported() bool { return true }
