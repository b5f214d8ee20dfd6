package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Sum is a cache's transform for kinds whose content nobody reads but an Applier. It
// keeps of an object who it is, whose it is, its status, what was applied last, and a
// sum of what it is now. An Applier sees by the sum whether somebody changed it, and
// then reads the whole object past the cache.
func Sum(in any) (any, error) {
	obj, ok := in.(client.Object)
	if !ok || summed(obj) {
		return in, nil
	}
	sum, err := sumOf(obj)
	if err != nil {
		return nil, err
	}
	return summary(obj, sum)
}

// summary is what a cache keeps of an object with a sum.
func summary(obj client.Object, sum string) (client.Object, error) {
	small, ok := reflect.New(reflect.TypeOf(obj).Elem()).Interface().(client.Object)
	if !ok {
		return nil, fmt.Errorf("sum %T: no object", obj)
	}
	identify(small, obj)
	small.SetGeneration(obj.GetGeneration())
	small.SetDeletionTimestamp(obj.GetDeletionTimestamp())
	small.SetSelfLink(marksOf(obj, sum))
	setStatus(small, obj)
	return small, nil
}

// setStatus gives an object the status of another one of its type, if it has any.
func setStatus(to, from client.Object) {
	if status := reflect.ValueOf(to).Elem().FieldByName("Status"); status.IsValid() {
		status.Set(reflect.ValueOf(from).Elem().FieldByName("Status"))
	}
}

// sumSize is how many bytes of a hash a sum has. 64 bits are enough: a customer who
// looks for two texts with one sum finds his own change not made.
const sumSize = 8

// sumOf is a hash of what an object is: everything but its status, what the API server
// notes of it, and annotations that are not ours.
func sumOf(obj client.Object) (string, error) {
	o := reflect.ValueOf(obj).Elem()
	plain := reflect.New(o.Type()) // the cache may have obj too
	plain.Elem().Set(o)
	if status := plain.Elem().FieldByName("Status"); status.IsValid() {
		status.SetZero()
	}
	meta := plain.Elem().FieldByName("ObjectMeta")
	if !meta.IsValid() || meta.Type() != reflect.TypeFor[metav1.ObjectMeta]() {
		return "", fmt.Errorf("sum %T: it has no metadata of Kubernetes' own", obj)
	}
	meta.Set(reflect.ValueOf(identity(obj)))
	sum, err := hash(plain.Interface())
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", describe(obj), err)
	}
	return hex.EncodeToString(sum[:sumSize]), nil
}

// identity is what of an object's metadata is in its sum.
func identity(obj client.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: obj.GetName(), Namespace: obj.GetNamespace(),
		Labels: obj.GetLabels(), Annotations: ours(obj.GetAnnotations()), OwnerReferences: obj.GetOwnerReferences(),
	}
}

// protobuf is how Kubernetes' own kinds encode themselves.
type protobuf interface {
	Size() int
	MarshalToSizedBuffer(buffer []byte) (int, error)
}

// buffers are used again: encoding is how every look at an object begins, and made a
// twentieth of all garbage.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// hash is the same for the same content. Kubernetes' own encoding is ten times
// cheaper than JSON, which the platform's kinds have.
func hash(obj any) ([sha256.Size]byte, error) {
	p, ok := obj.(protobuf)
	if !ok {
		data, err := json.Marshal(obj)
		return sha256.Sum256(data), err
	}
	buffer, _ := buffers.Get().(*[]byte) // nothing else is in there
	defer buffers.Put(buffer)
	size := p.Size()
	*buffer = slices.Grow((*buffer)[:0], size)[:size]
	n, err := p.MarshalToSizedBuffer(*buffer)
	return sha256.Sum256((*buffer)[size-n:]), err
}

// Slim is a cache's transform for kinds that are kept whole: it leaves out who wrote
// which field, and keeps texts that many objects have once.
func Slim(in any) (any, error) {
	obj, ok := in.(client.Object)
	if !ok {
		return in, nil
	}
	obj.SetManagedFields(nil)
	identify(obj, obj)
	if labels := obj.GetLabels(); labels != nil {
		shared := make(map[string]string, len(labels))
		for name, value := range labels {
			shared[Shared(name)] = Shared(value)
		}
		obj.SetLabels(shared)
	}
	return obj, nil
}

// ours are the annotations that somebody who applies an object wants: controllers
// write others, a volume's storage how much of it is used or can be had, and an Applier its notes.
func ours(annotations map[string]string) map[string]string {
	wanted := maps.Clone(annotations)
	maps.DeleteFunc(wanted, func(name, _ string) bool {
		return !strings.HasPrefix(name, v1alpha1.Group+"/") || name == AnnotationApplied || name == AnnotationMade ||
			name == v1alpha1.AnnotationUsedBytes || name == v1alpha1.AnnotationRoomBytes
	})
	return wanted
}

// A summed object's self link, which no API server has sent since Kubernetes 1.20, holds
// what a map of annotations of its own for each would need ten times the memory for: its
// sum, whether it was made and not applied since, and what was applied last.

// marksOf is what the self link of an object with a sum becomes.
func marksOf(obj client.Object, sum string) string {
	made := "-"
	if obj.GetAnnotations()[AnnotationMade] != "" {
		made = "+"
	}
	return sum + made + obj.GetAnnotations()[AnnotationApplied]
}

// summed tells whether the cache keeps only a sum of an object's content. Nobody can
// forge one: the API server takes no self link, and notes of all a time of creation.
func summed(live client.Object) bool {
	created := live.GetCreationTimestamp()
	return len(live.GetSelfLink()) > 2*sumSize && created.IsZero()
}

// made tells whether an object was made and not applied since.
func made(live client.Object) bool {
	if summed(live) {
		return live.GetSelfLink()[2*sumSize] == '+'
	}
	return live.GetAnnotations()[AnnotationMade] != ""
}

// applied is what was applied to an object last.
func applied(live client.Object) string {
	if summed(live) {
		return live.GetSelfLink()[2*sumSize+1:]
	}
	return live.GetAnnotations()[AnnotationApplied]
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
	return summed(a) && a.GetSelfLink() == b.GetSelfLink() && a.GetUID() == b.GetUID() &&
		a.GetDeletionTimestamp().Equal(b.GetDeletionTimestamp())
}
