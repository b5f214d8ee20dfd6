package hosting

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// withheld is what the trail holds in place of a value that may be secret.
const withheld = "(not kept)"

// secretive returns the fields of a Domain in which people keep passwords.
func secretive() []string {
	return []string{"env", "command", "args", "cronJobs", "settings", "customConfig"}
}

// differing returns the fields of two specs that differ, by path and without what
// may be secret, for the trail.
func differing(before, after any) (was, is map[string]any, err error) {
	old, err := leaves(before)
	if err != nil {
		return nil, nil, err
	}
	fresh, err := leaves(after)
	if err != nil {
		return nil, nil, err
	}
	was, is = map[string]any{}, map[string]any{}
	for path, l := range old {
		if !reflect.DeepEqual(l, fresh[path]) {
			was[path] = l.told()
		}
	}
	for path, l := range fresh {
		if !reflect.DeepEqual(l, old[path]) {
			is[path] = l.told()
		}
	}
	return was, is, nil
}

// leaf is one value of a spec that is no object.
type leaf struct {
	value  any
	hidden bool
}

func (l leaf) told() any {
	if l.hidden {
		return withheld
	}
	return l.value
}

// leaves returns all of them by their path.
func leaves(spec any) (map[string]leaf, error) {
	data, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("write a spec for the trail: %w", err)
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("read a spec for the trail: %w", err)
	}
	all := map[string]leaf{}
	pick(all, "", tree, false)
	return all, nil
}

func pick(all map[string]leaf, path string, node any, hidden bool) {
	object, ok := node.(map[string]any)
	if !ok {
		all[path] = leaf{value: node, hidden: hidden}
		return
	}
	for name, child := range object {
		below := name
		if path != "" {
			below = path + "." + name
		}
		pick(all, below, child, hidden || slices.Contains(secretive(), name))
	}
}
