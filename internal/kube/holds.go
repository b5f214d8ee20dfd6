package kube

import (
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Holds tells whether live has every value that want sets. What want leaves out
// may be anything: the API server's defaults and other writers' fields do not
// count. It follows what JSON encoding leaves out: a zero value is not set,
// unless a pointer leads to it.
func Holds(live, want client.Object) bool {
	l, w := reflect.ValueOf(live), reflect.ValueOf(want)
	if l.Type() != w.Type() || l.Kind() != reflect.Pointer || l.Elem().Kind() != reflect.Struct {
		return false
	}
	l, w = l.Elem(), w.Elem()
	for _, i := range shapeOf(w.Type()).fields {
		switch w.Type().Field(i).Name {
		case "TypeMeta", "Status":
			continue
		}
		if !holds(l.Field(i), w.Field(i)) {
			return false
		}
	}
	return true
}

// same says which types carry a meaning of their own: 1000m is 1.
var same = map[reflect.Type]bool{
	reflect.TypeFor[resource.Quantity](): true,
	reflect.TypeFor[metav1.Time]():       true,
}

func holds(live, want reflect.Value) bool {
	if want.IsZero() {
		return true
	}
	if same[want.Type()] {
		return equality.Semantic.DeepEqual(live.Interface(), want.Interface())
	}
	switch want.Kind() {
	case reflect.Pointer:
		return !live.IsNil() && holdsPointee(live.Elem(), want.Elem())
	case reflect.Struct:
		return holdsFields(live, want)
	case reflect.Map:
		return holdsEntries(live, want)
	case reflect.Slice:
		return holdsItems(live, want)
	default:
		return live.Equal(want)
	}
}

// holdsPointee is strict where holds is not: a pointer to false means false.
func holdsPointee(live, want reflect.Value) bool {
	switch want.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice:
		return holds(live, want)
	default:
		return live.Equal(want)
	}
}

func holdsFields(live, want reflect.Value) bool {
	for _, i := range shapeOf(want.Type()).fields {
		if !holds(live.Field(i), want.Field(i)) {
			return false
		}
	}
	return true
}

func holdsEntries(live, want reflect.Value) bool {
	entries := want.MapRange()
	for entries.Next() {
		l := live.MapIndex(entries.Key())
		if !l.IsValid() {
			return false
		}
		// An empty string under a key is set, unlike an empty field.
		if w := entries.Value(); w.IsZero() && !l.IsZero() || !holds(l, w) {
			return false
		}
	}
	return true
}

// holdsItems compares lists in their order: server-side apply keeps the order of
// who applies. Lists of named things may hold things of other writers besides.
func holdsItems(live, want reflect.Value) bool {
	if want.Type().Elem().Kind() == reflect.Uint8 {
		return string(live.Bytes()) == string(want.Bytes())
	}
	if item := want.Type().Elem(); item.Kind() == reflect.Struct {
		if key := shapeOf(item).key; key >= 0 {
			return holdsNamed(live, want, key)
		}
	}
	if live.Len() != want.Len() {
		return false
	}
	for i := range want.Len() {
		if w := want.Index(i); w.IsZero() && !live.Index(i).IsZero() || !holds(live.Index(i), w) {
			return false
		}
	}
	return true
}

// holdsNamed looks for each item first where it stands in the other list, which is
// nearly always where it is.
func holdsNamed(live, want reflect.Value, key int) bool {
	for i := range want.Len() {
		w := want.Index(i)
		l, ok := itemNamed(live, w.Field(key), key, i)
		if !ok || !holds(l, w) {
			return false
		}
	}
	return true
}

func itemNamed(list, name reflect.Value, key, first int) (reflect.Value, bool) {
	for i := range list.Len() {
		item := list.Index((first + i) % list.Len())
		if item.Field(key).Equal(name) {
			return item, true
		}
	}
	return reflect.Value{}, false
}

// shape is what there is to know of a struct's type.
type shape struct {
	// fields are the numbers of the exported ones.
	fields []int
	// key is the field that names the items of an associative list, -1 when there is
	// none.
	key int
}

// shapes remembers those that were found: asking reflection each time took longer
// than comparing.
var shapes sync.Map // reflect.Type → shape

func shapeOf(t reflect.Type) shape {
	known, _ := shapes.Load(t)
	if s, ok := known.(shape); ok {
		return s
	}
	s := shape{key: listKey(t)}
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			s.fields = append(s.fields, i)
		}
	}
	shapes.Store(t, s)
	return s
}

// listKey finds the field that names the items of an associative list, -1 when
// there is none. ownerReferences go by their UID.
func listKey(item reflect.Type) int {
	for _, name := range []string{"UID", "MountPath", "ContainerPort", "Name"} {
		if f, ok := item.FieldByName(name); ok && len(f.Index) == 1 && f.Type.Kind() != reflect.Struct {
			return f.Index[0]
		}
	}
	return -1
}
