package kube

import (
	"fmt"
	"reflect"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// share makes to what from is, which has the same type and belongs to the cache.
// Only the outermost struct is copied: a deep copy of everything that did not
// change would be most of the work of a reconcile that has nothing to do.
func share(from, to client.Object) error {
	f, t := reflect.ValueOf(from), reflect.ValueOf(to)
	if f.Type() != t.Type() {
		return fmt.Errorf("read %T into %T", from, to)
	}
	if summed(from) {
		to.SetGeneration(from.GetGeneration())
		setStatus(to, from)
		return nil
	}
	kind := to.GetObjectKind().GroupVersionKind()
	t.Elem().Set(f.Elem())
	to.GetObjectKind().SetGroupVersionKind(kind)
	return nil
}
