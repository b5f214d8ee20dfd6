package kube

import (
	"fmt"
	"reflect"

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
	for i := range w.NumField() {
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
	for i := range want.NumField() {
		if want.Type().Field(i).IsExported() && !holds(live.Field(i), want.Field(i)) {
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
	if key := listKey(want.Type().Elem()); key >= 0 {
		return holdsNamed(live, want, key)
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

func holdsNamed(live, want reflect.Value, key int) bool {
	byName := make(map[string]reflect.Value, live.Len())
	for i := range live.Len() {
		byName[fmt.Sprint(live.Index(i).Field(key))] = live.Index(i)
	}
	for i := range want.Len() {
		l, ok := byName[fmt.Sprint(want.Index(i).Field(key))]
		if !ok || !holds(l, want.Index(i)) {
			return false
		}
	}
	return true
}

// listKey finds the field that names the items of an associative list, -1 when
// there is none. ownerReferences go by their UID.
func listKey(item reflect.Type) int {
	if item.Kind() != reflect.Struct {
		return -1
	}
	for _, name := range []string{"UID", "MountPath", "ContainerPort", "Name"} {
		if f, ok := item.FieldByName(name); ok && len(f.Index) == 1 && f.Type.Kind() != reflect.Struct {
			return f.Index[0]
		}
	}
	return -1
}
