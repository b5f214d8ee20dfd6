package kube

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Delete removes the object of obj's kind and name if owner controls it. It tells
// whether it is gone: a removal may take a while.
func (a Applier) Delete(ctx context.Context, owner, obj client.Object) (gone bool, err error) {
	found, err := a.Live(ctx, obj)
	if err != nil || !found {
		return !found, err
	}
	if !Mine(owner, obj) || !obj.GetDeletionTimestamp().IsZero() {
		return false, nil
	}
	return false, a.Remove(ctx, obj)
}

// Remove deletes exactly the object that was read, not one of the same name that
// was made since.
func (a Applier) Remove(ctx context.Context, obj client.Object) error {
	uid := obj.GetUID()
	copied, ok := obj.DeepCopyObject().(client.Object)
	if !ok {
		return fmt.Errorf("delete %s: no object", describe(obj))
	}
	err := a.Client.Delete(ctx, copied, client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %s: %w", describe(obj), err)
	}
	return nil
}
