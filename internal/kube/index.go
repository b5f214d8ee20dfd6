package kube

import (
	"context"
	"errors"
	"fmt"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Index finds the objects of a kind that are in a cache. A client's List does that too,
// and makes a list of copies: a seventh of the garbage of an operator that starts.
type Index[T client.Object] struct {
	name     string
	informer toolscache.SharedIndexInformer
}

// NewIndex has a cache find objects like that one by what keys says of each. The name is
// not used twice for a kind. It is called before the cache starts.
func NewIndex[T client.Object](ctx context.Context, in cache.Informers, like T, name string, keys func(T) []string) (*Index[T], error) {
	informer, err := in.GetInformer(ctx, like, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("watch %T: %w", like, err)
	}
	shared, ok := informer.(toolscache.SharedIndexInformer)
	if !ok {
		return nil, fmt.Errorf("watch %T: %T has no index", like, informer)
	}
	err = shared.AddIndexers(toolscache.Indexers{name: func(o any) ([]string, error) {
		one, ok := o.(T)
		if !ok {
			return nil, fmt.Errorf("%T is in a cache of %T", o, like)
		}
		return keys(one), nil
	}})
	if err != nil {
		return nil, fmt.Errorf("index %T by %s: %w", like, name, err)
	}
	return &Index[T]{name: name, informer: shared}, nil
}

// Find returns the objects that have a key. They are the cache's own: nothing in them may
// be changed.
func (i *Index[T]) Find(ctx context.Context, key string) ([]T, error) {
	if err := i.synced(ctx); err != nil {
		return nil, err
	}
	found, err := i.informer.GetIndexer().ByIndex(i.name, key)
	return typed[T](found), err
}

// All returns all objects, as Find does.
func (i *Index[T]) All(ctx context.Context) ([]T, error) {
	if err := i.synced(ctx); err != nil {
		return nil, err
	}
	return typed[T](i.informer.GetIndexer().List()), nil
}

// synced waits until the cache has what there was when it started, as a client's reads do.
func (i *Index[T]) synced(ctx context.Context) error {
	if i.informer.HasSynced() || toolscache.WaitForCacheSync(ctx.Done(), i.informer.HasSynced) {
		return nil
	}
	return errors.Join(errors.New("the cache has not started"), ctx.Err())
}

func typed[T client.Object](found []any) []T {
	all := make([]T, 0, len(found))
	for _, o := range found {
		if one, ok := o.(T); ok { // as its keys were
			all = append(all, one)
		}
	}
	return all
}
