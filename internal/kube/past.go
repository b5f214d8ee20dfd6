package kube

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// PastCache reads from a cache, and past it what that does not have: of some kinds it
// keeps only objects that are labelled as ours.
type PastCache struct{ Cache, Direct client.Reader }

// Get reads an object.
func (p PastCache) Get(ctx context.Context, key client.ObjectKey, obj client.Object, options ...client.GetOption) error {
	if err := p.Cache.Get(ctx, key, obj, options...); !apierrors.IsNotFound(err) {
		return err
	}
	return p.Direct.Get(ctx, key, obj)
}
