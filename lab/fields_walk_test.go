package lab

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// notChanged are fields that the journey leaves alone, by their path or the
// beginning of it.
var notChanged = map[string]string{
	"domainName":      "is what the site is, and can't be changed",
	"aliases[].email": "mail is not acted on yet",
	"email":           "mail is not acted on yet",
	"dns":             "zones are not acted on yet",
}

// TestEveryFieldHasAChange walks the type itself, so a new field fails here until
// the journey changes it.
func TestEveryFieldHasAChange(t *testing.T) {
	covered := map[string]bool{}
	for _, f := range fieldChanges(somewhere) {
		for _, path := range f.fields {
			covered[path] = true
		}
	}
	for _, path := range leaves(reflect.TypeFor[v1alpha1.DomainSpec](), "") {
		reason := whyNot(path)
		switch {
		case !covered[path] && reason == "":
			t.Errorf("spec.%s: no journey changes it on a running site; add it to fieldChanges", path)
		case covered[path] && reason != "":
			t.Errorf("spec.%s is changed, though it %q", path, reason)
		}
		delete(covered, path)
	}
	for path := range covered {
		t.Errorf("fieldChanges names spec.%s, which there is not", path)
	}
}

// A change that says it changes a field and does not would be no test of it.
func TestChangesChangeTheFieldsThatTheyName(t *testing.T) {
	spec := v1alpha1.DomainSpec{
		Workload:  v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"},
		Resources: v1alpha1.ResourcesSpec{Storage: "1Gi", Limits: v1alpha1.LimitsSpec{CPU: "1000m", Memory: "512Mi"}},
	}
	for _, f := range fieldChanges(somewhere) {
		if f.edit == nil {
			continue
		}
		before := spec.DeepCopy()
		f.edit(&spec)
		got, want := differing(reflect.ValueOf(*before), reflect.ValueOf(spec), ""), slices.Sorted(slices.Values(f.fields))
		if !slices.Equal(got, want) {
			t.Errorf("%s changes %v, and says it changes %v", f.name, got, want)
		}
	}
}

// The walk itself: what it does not find, nobody misses.
func TestTheWalkFindsEveryKindOfField(t *testing.T) {
	type inner struct {
		Deep *bool `json:"deep,omitempty"`
	}
	type outer struct {
		Plain   string            `json:"plain"`
		Map     map[string]string `json:"map"`
		Texts   []string          `json:"texts"`
		List    []inner           `json:"list"`
		Pointer *inner            `json:"pointer"`
		Inner   inner             `json:"inner,omitzero"`
	}
	yes := true
	full := outer{Plain: "a", Map: map[string]string{"a": "b"}, Texts: []string{"a"}, List: []inner{{&yes}}, Pointer: &inner{&yes}, Inner: inner{&yes}}
	want := []string{"inner.deep", "list[].deep", "map", "plain", "pointer.deep", "texts"}
	if got := slices.Sorted(slices.Values(leaves(reflect.TypeFor[outer](), ""))); !slices.Equal(got, want) {
		t.Errorf("leaves = %v, want %v", got, want)
	}
	if got := differing(reflect.ValueOf(outer{}), reflect.ValueOf(full), ""); !slices.Equal(got, want) {
		t.Errorf("differing = %v, want %v", got, want)
	}
	if got := differing(reflect.ValueOf(full), reflect.ValueOf(full), ""); len(got) > 0 {
		t.Errorf("differing of one and the same = %v", got)
	}
}

func whyNot(path string) string {
	for beginning, reason := range notChanged {
		if path == beginning || strings.HasPrefix(path, beginning+".") {
			return reason
		}
	}
	return ""
}

// leaves lists the paths of all fields below a type that hold a value.
func leaves(of reflect.Type, path string) []string {
	switch {
	case of.Kind() == reflect.Pointer && of.Elem().Kind() == reflect.Struct:
		return leaves(of.Elem(), path)
	case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct:
		return leaves(of.Elem(), path+"[]")
	case of.Kind() != reflect.Struct:
		return []string{path}
	}
	var found []string
	for i := range of.NumField() {
		found = append(found, leaves(of.Field(i).Type, join(path, of.Field(i)))...)
	}
	return found
}

// differing lists the paths of all fields that two values have differently.
func differing(a, b reflect.Value, path string) []string {
	found := map[string]bool{}
	of := a.Type()
	switch {
	case of.Kind() == reflect.Pointer && of.Elem().Kind() == reflect.Struct:
		return differing(pointed(a), pointed(b), path)
	case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct:
		for i := range max(a.Len(), b.Len()) {
			for _, p := range differing(element(a, i), element(b, i), path+"[]") {
				found[p] = true
			}
		}
	case of.Kind() == reflect.Struct:
		for i := range of.NumField() {
			for _, p := range differing(a.Field(i), b.Field(i), join(path, of.Field(i))) {
				found[p] = true
			}
		}
	case !reflect.DeepEqual(a.Interface(), b.Interface()):
		found[path] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func pointed(v reflect.Value) reflect.Value {
	if v.IsNil() {
		return reflect.Zero(v.Type().Elem())
	}
	return v.Elem()
}

func element(v reflect.Value, i int) reflect.Value {
	if i >= v.Len() {
		return reflect.Zero(v.Type().Elem())
	}
	return v.Index(i)
}

// join appends a field's name in JSON, which an inlined field has none of.
func join(path string, f reflect.StructField) string {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case name == "" && strings.Contains(options, "inline"):
		return path
	case name == "":
		panic(fmt.Sprintf("field %s has no name in JSON", f.Name))
	case path == "":
		return name
	}
	return path + "." + name
}
