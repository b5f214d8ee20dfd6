package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Diff returns the fields in which two objects differ, in the order of their
// paths. What only one of them has is one field, with everything below it.
// Values of environment variables are hidden: people keep passwords there.
func Diff(before, after map[string]any) []hosting.FieldChange {
	var all []hosting.FieldChange
	diff("", before, after, &all)
	for i := range all {
		all[i] = discreet(all[i])
	}
	return all
}

func diff(path string, before, after any, all *[]hosting.FieldChange) {
	if reflect.DeepEqual(before, after) {
		return
	}
	switch b := before.(type) {
	case map[string]any:
		if a, ok := after.(map[string]any); ok {
			diffMaps(path, b, a, all)
			return
		}
	case []any:
		if a, ok := after.([]any); ok && diffLists(path, b, a, all) {
			return
		}
	}
	*all = append(*all, hosting.FieldChange{Path: path, Old: before, New: after})
}

func diffMaps(path string, before, after map[string]any, all *[]hosting.FieldChange) {
	keys := slices.Collect(maps.Keys(before))
	for key := range after {
		if _, both := before[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		diff(below(path, key), before[key], after[key], all)
	}
}

// below returns the path of a field. A key that is no plain word, such as the
// name of a file or of a label, stands in brackets.
func below(path, key string) string {
	switch {
	case strings.ContainsAny(key, "./-"):
		return path + "[" + key + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// diffLists compares lists of named things item by item, and tells whether they
// are such lists. Their order counts too.
func diffLists(path string, before, after []any, all *[]hosting.FieldChange) bool {
	namesBefore, b := byName(before)
	namesAfter, a := byName(after)
	if b == nil || a == nil {
		return false
	}
	for _, name := range union(namesBefore, namesAfter) {
		diff(path+"["+name+"]", value(b, name), value(a, name), all)
	}
	stayed := slices.DeleteFunc(slices.Clone(namesBefore), func(n string) bool { return a[n] == nil })
	come := slices.DeleteFunc(slices.Clone(namesAfter), func(n string) bool { return b[n] == nil })
	if !slices.Equal(stayed, come) {
		*all = append(*all, hosting.FieldChange{Path: path, Old: stayed, New: come})
	}
	return true
}

// value is nil, and not a nil map, when there is none.
func value(items map[string]map[string]any, name string) any {
	if v, ok := items[name]; ok {
		return v
	}
	return nil
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, name := range b {
		if !slices.Contains(a, name) {
			all = append(all, name)
		}
	}
	return all
}

// nameKeys name the items of Kubernetes' lists of things, the most telling first:
// a mount has the name of its volume too, and may have another of that volume.
var nameKeys = []string{"mountPath", "containerPort", "name", "host", "uid", "type"}

// byName returns the items of a list under their names, nil when they have none
// or share one.
func byName(list []any) ([]string, map[string]map[string]any) {
	for _, key := range nameKeys {
		names, items := make([]string, 0, len(list)), map[string]map[string]any{}
		for _, item := range list {
			fields, ok := item.(map[string]any)
			if !ok || fields[key] == nil {
				break
			}
			name := fmt.Sprint(fields[key])
			names, items[name] = append(names, name), fields
		}
		if len(items) == len(list) {
			return names, items
		}
	}
	return nil, nil
}

func hidden(c hosting.FieldChange) hosting.FieldChange {
	return hosting.FieldChange{Path: c.Path, Hidden: true}
}

// discreet leaves out values of environment variables, wherever they stand.
func discreet(c hosting.FieldChange) hosting.FieldChange {
	if strings.Contains(c.Path, ".env[") || strings.HasSuffix(c.Path, ".env") {
		return hidden(c)
	}
	c.Old, c.New = veil(c.Old), veil(c.New)
	return c
}

// veil keeps of environment variables their names.
func veil(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			if list, ok := item.([]any); ok && key == "env" {
				out[key], _ = byName(list)
				continue
			}
			out[key] = veil(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = veil(item)
		}
		return out
	}
	return v
}
