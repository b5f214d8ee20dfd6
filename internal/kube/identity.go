package kube

import (
	"slices"
	"unique"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// yes is what every owner reference of ours points to.
var yes = ptr.To(true)

// identify makes small say who obj is and whose it is. A site's objects have the same
// namespace and owner, and all sites' objects the same few names, so each text is kept
// once.
func identify(small, obj client.Object) {
	small.SetName(Shared(obj.GetName()))
	small.SetNamespace(Shared(obj.GetNamespace()))
	small.SetUID(obj.GetUID()) // a client that waits for a removal knows it by this
	small.SetResourceVersion(obj.GetResourceVersion())
	owners := slices.Clone(obj.GetOwnerReferences())
	for i := range owners {
		o := &owners[i]
		o.APIVersion, o.Kind, o.Name, o.UID = Shared(o.APIVersion), Shared(o.Kind), Shared(o.Name), Shared(o.UID)
		if o.Controller != nil && *o.Controller {
			o.Controller = yes
		}
		if o.BlockOwnerDeletion != nil && *o.BlockOwnerDeletion {
			o.BlockOwnerDeletion = yes
		}
	}
	small.SetOwnerReferences(owners)
}

// Shared returns the same text, kept once however many objects hold it.
func Shared[T ~string](text T) T {
	if text == "" {
		return ""
	}
	return unique.Make(text).Value()
}
