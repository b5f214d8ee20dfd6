package web

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAnEntryTellsWhatChanged(t *testing.T) {
	tests := map[string]struct {
		before, after string
		want          []fieldChange
	}{
		"nothing":           {"", "", nil},
		"made":              {"", `{"name":"Small","quota":{"sites":3}}`, []fieldChange{{"name", "", "Small"}, {"quota.sites", "", "3"}}},
		"gone":              {`{"name":"Small"}`, "", []fieldChange{{"name", "Small", ""}}},
		"changed":           {`{"a":1,"b":{"c":true,"d":"x"}}`, `{"a":1,"b":{"c":false,"d":"x"}}`, []fieldChange{{"b.c", "true", "false"}}},
		"a list":            {`{"names":["a","b"]}`, `{"names":["a","b","c"]}`, []fieldChange{{"names", "a, b", "a, b, c"}}},
		"objects in a list": {`[{"a":1}]`, `[]`, []fieldChange{{"", `{"a":1}`, ""}}},
		"a value alone":     {`"Old"`, `"New"`, []fieldChange{{"", "Old", "New"}}},
		"null is nothing":   {`{"a":null}`, `{}`, nil},
		"a large number":    {"", `{"size":9007199254740993}`, []fieldChange{{"size", "", "9007199254740993"}}},
		"no JSON":           {"", `{"a":`, []fieldChange{{"", "", `{"a":`}}},
		"more than JSON":    {"", `1 2`, []fieldChange{{"", "", `1 2`}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got, more := changesOf(test.before, test.after); !slices.Equal(got, test.want) || more != 0 {
				t.Errorf("changesOf(%s, %s) = %q and %d more, want %q", test.before, test.after, got, more, test.want)
			}
		})
	}
}

// What a page shows of an entry is bounded, whatever stands in it.
func FuzzChangesOf(f *testing.F) {
	for _, text := range []string{"", `{"a":{"b":[1,"x",null,{"c":true}]}}`, `"text"`, `{"a":`, "\xff", `{"":{"":1},".":2}`} {
		f.Add(text, `{"a":1}`)
		f.Add(`{"a":1}`, text)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		changes, more := changesOf(before, after)
		if len(changes) > shownFields || more < 0 {
			t.Fatalf("%d changes and %d more, want at most %d", len(changes), more, shownFields)
		}
		for _, c := range changes {
			if n := utf8.RuneCountInString(c.Before + c.After); n > 2*(shownValue+1) {
				t.Fatalf("%q shows %d characters", c.Field, n)
			}
		}
		if same, more := changesOf(after, after); len(same) != 0 || more != 0 {
			t.Fatalf("changesOf(%q, the same) = %q", after, same)
		}
		if json.Valid([]byte(after)) && strings.HasPrefix(after, "{") && len(valuesOf(after)) > 0 && before == "" && len(changes) == 0 {
			// A value of "" is as what is not there.
			for name, value := range valuesOf(after) {
				if value != "" {
					t.Fatalf("%s = %q was made and is not shown", name, value)
				}
			}
		}
	})
}
