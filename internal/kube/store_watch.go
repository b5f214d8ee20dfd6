package kube

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// Waits between attempts to reach the API server again: short at first, because
// it usually only restarts.
const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// WatchDomain implements hosting.DomainWatcher. A lost connection is made again
// for as long as ctx lives; only an answer that will not change ends the watch.
func (s Store) WatchDomain(ctx context.Context, d *v1alpha1.Domain, see func(*v1alpha1.Domain) error) error {
	w := domainWatch{Store: s, uid: d.UID, see: see,
		only: &client.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", d.Name)}}
	wait := firstRetry
	for {
		start, err := w.list(ctx)
		if err == nil {
			wait = firstRetry
			err = w.follow(ctx, start)
		}
		if w.ended != nil {
			return w.ended
		}
		if err != nil && hosting.CodeOf(err) != hosting.Unreachable {
			return err
		}
		if err == nil {
			continue // the API server closed the watch, as it does every few minutes
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
			wait = min(2*wait, lastRetry)
		}
	}
}

// domainWatch is one watch of one object, over all its connections.
type domainWatch struct {
	Store
	only *client.ListOptions
	uid  types.UID
	see  func(*v1alpha1.Domain) error
	// ended is what see answered when it wanted no more.
	ended error
}

// list shows the present state and returns the version to watch from.
func (w *domainWatch) list(ctx context.Context) (version string, err error) {
	list := &v1alpha1.DomainList{}
	if err := w.Client.List(ctx, list, w.only); err != nil {
		return "", w.answer(ctx, "read domain", err)
	}
	var now *v1alpha1.Domain
	for i := range list.Items {
		now = &list.Items[i]
	}
	return list.ResourceVersion, w.show(now)
}

// follow shows changes until the connection ends.
func (w *domainWatch) follow(ctx context.Context, version string) error {
	options := *w.only
	options.Raw = &metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true}
	stream, err := w.Client.Watch(ctx, &v1alpha1.DomainList{}, &options)
	if err != nil {
		return w.answer(ctx, "watch domain", err)
	}
	defer stream.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case event, open := <-stream.ResultChan():
			if !open {
				return nil
			}
			if more, err := w.take(event); !more {
				return err
			}
		}
	}
}

// take shows what an event brings and tells whether the connection can bring
// more.
func (w *domainWatch) take(event watch.Event) (more bool, err error) {
	d, isDomain := event.Object.(*v1alpha1.Domain)
	switch {
	case event.Type == watch.Error || !isDomain:
		return false, nil // most likely the version is too old: list again
	case event.Type == watch.Bookmark:
		return true, nil
	case event.Type == watch.Deleted:
		d = nil
	}
	err = w.show(d)
	return err == nil, err
}

// show hands on the object that is watched; a later one of the same name is
// another, so ours is gone.
func (w *domainWatch) show(d *v1alpha1.Domain) error {
	if d != nil && d.UID != w.uid {
		d = nil
	}
	if d != nil {
		d = named(d)
	}
	w.ended = w.see(d)
	return w.ended
}
