package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// annotationSum stands in the cache alone, on an object whose content the cache does
// not keep: what AnnotationApplied would be if somebody applied what the object is.
const annotationSum = "kubepanel.io/sum"

// Sum is a cache's transform for kinds whose content nobody reads but an Applier, and
// to which the API server adds nothing by itself. It keeps of an object who it is, whose
// it is, its status, what was applied last, and a sum of what it is now. An Applier sees
// by the two whether somebody changed it, and then reads the whole object past the cache.
func Sum(in any) (any, error) {
	obj, ok := in.(client.Object)
	if !ok || summed(obj) {
		return in, nil
	}
	small, ok := reflect.New(reflect.TypeOf(in).Elem()).Interface().(client.Object)
	if !ok {
		return nil, fmt.Errorf("sum %T: no object", in)
	}
	moveStatus(obj, small)
	sum, err := sumOf(obj)
	if err != nil {
		return nil, err
	}
	annotations := map[string]string{annotationSum: sum}
	for _, name := range []string{AnnotationApplied, AnnotationMade} {
		if value := obj.GetAnnotations()[name]; value == sum {
			annotations[name] = sum // and not the same text twice
		} else if value != "" {
			annotations[name] = value
		}
	}
	identify(small, obj)
	small.SetDeletionTimestamp(obj.GetDeletionTimestamp())
	small.SetAnnotations(annotations)
	return small, nil
}

// moveStatus takes an object's status to another one, if it has any.
func moveStatus(from, to client.Object) {
	if status := reflect.ValueOf(from).Elem().FieldByName("Status"); status.IsValid() {
		reflect.ValueOf(to).Elem().FieldByName("Status").Set(status)
		status.SetZero()
	}
}

// sumOf is a hash of what who applies obj wants: everything but what the API server
// and its controllers write, and our own two notes. 64 bits are enough: a
// customer who looks for two texts with one sum finds his own change not made.
func sumOf(obj client.Object) (string, error) {
	var meta *metav1.ObjectMeta
	if o, ok := obj.(metav1.ObjectMetaAccessor); ok {
		meta, _ = o.GetObjectMeta().(*metav1.ObjectMeta) // nil means another kind of metadata
	}
	if meta == nil {
		return "", fmt.Errorf("sum %T: it has no metadata of Kubernetes' own", obj)
	}
	whole := *meta
	defer func() { *meta = whole }()
	annotations := maps.Clone(whole.Annotations)
	delete(annotations, AnnotationApplied)
	delete(annotations, AnnotationMade)
	*meta = metav1.ObjectMeta{
		Name: whole.Name, Namespace: whole.Namespace,
		Labels: whole.Labels, Annotations: annotations, OwnerReferences: whole.OwnerReferences,
	}
	plain, err := encode(obj)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", describe(obj), err)
	}
	sum := sha256.Sum256(plain)
	return hex.EncodeToString(sum[:8]), nil
}

// summed tells whether the cache keeps only a sum of an object's content. The
// annotation alone is no proof: anybody who may write the object may write it, and
// hide a change behind it. What the API server stores has a time of creation.
func summed(live client.Object) bool {
	created := live.GetCreationTimestamp()
	return live.GetAnnotations()[annotationSum] != "" && created.IsZero()
}

// intact tells whether a summed object is just what was applied last.
func intact(live client.Object) bool {
	return live.GetAnnotations()[annotationSum] == live.GetAnnotations()[AnnotationApplied]
}

// whole reads past the cache what the cache keeps only a sum of; nil when it is gone.
func (a Applier) whole(ctx context.Context, obj client.Object) (client.Object, error) {
	fresh, err := a.empty(obj)
	if err != nil {
		return nil, err
	}
	if err := a.Direct.Get(ctx, client.ObjectKeyFromObject(obj), fresh); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return fresh, nil
}

// Alike tells whether nothing but the version and the status differs between two
// summed objects.
func Alike(a, b client.Object) bool {
	one, other := a.GetAnnotations(), b.GetAnnotations()
	return summed(a) && maps.Equal(one, other) && a.GetUID() == b.GetUID() &&
		a.GetDeletionTimestamp().Equal(b.GetDeletionTimestamp())
}
