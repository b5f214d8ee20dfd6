package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// fieldChange is a field of what an entry is about: what it was, and what it is since. Field
// is "" where there is nothing but a value.
type fieldChange struct{ Field, Before, After string }

// Bounds of what a page shows of an entry; all of it stands in the export.
const (
	shownFields = 60
	shownValue  = 400 // characters
)

// changesOf compares what an entry says was and is, both JSON or empty, and returns the
// fields that are not the same, in the order of their names; more is how many it left out.
// What is no JSON is shown as it is.
func changesOf(before, after string) (changes []fieldChange, more int) {
	was, is := valuesOf(before), valuesOf(after)
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if was[name] != is[name] {
			changes = append(changes, fieldChange{name, short(was[name]), short(is[name])})
		}
	}
	if over := len(changes) - shownFields; over > 0 {
		return changes[:shownFields], over
	}
	return changes, 0
}

// valuesOf are the values of a JSON text by their paths, such as spec.php.memory.
func valuesOf(text string) map[string]string {
	fields := map[string]string{}
	if text == "" {
		return fields
	}
	numbers := json.NewDecoder(strings.NewReader(text))
	numbers.UseNumber() // an amount of octets stays as it was written
	var value any
	if err := numbers.Decode(&value); err != nil || numbers.More() {
		return map[string]string{"": text}
	}
	flatten("", value, fields)
	return fields
}

func flatten(path string, value any, into map[string]string) {
	switch v := value.(type) {
	case nil: // as what is not there
	case map[string]any:
		for name, inner := range v {
			at := name
			if path != "" {
				at = path + "." + name
			}
			flatten(at, inner, into)
		}
	case []any:
		parts := make([]string, len(v))
		for i, inner := range v {
			parts[i] = plainValue(inner)
		}
		if len(parts) > 0 {
			into[path] = strings.Join(parts, ", ")
		}
	default:
		into[path] = plainValue(v)
	}
}

// plainValue is a text without quotation marks, and anything else as JSON.
func plainValue(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

func short(text string) string {
	if utf8.RuneCountInString(text) <= shownValue {
		return text
	}
	return string([]rune(text)[:shownValue]) + "…"
}
