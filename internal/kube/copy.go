package kube

import (
	"fmt"
	"reflect"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// copyInto makes to a deep copy of from, which has the same type and belongs to
// the cache.
func copyInto(from, to client.Object) error {
	f, t := reflect.ValueOf(from.DeepCopyObject()), reflect.ValueOf(to)
	if f.Type() != t.Type() {
		return fmt.Errorf("copy %T into %T", from, to)
	}
	kind := to.GetObjectKind().GroupVersionKind()
	t.Elem().Set(f.Elem())
	to.GetObjectKind().SetGroupVersionKind(kind)
	return nil
}
