package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"kubepanel.io/kubepanel/internal/panel/rest"
)

// A value that no schema or no rule takes is answered by a problem document that names its
// field: for every property of every body in the document. One that has no wrong value
// stands in allowed with its reason.
func TestBadInputIsToldByField(t *testing.T) {
	h := furnished(t)
	seen := map[string]bool{}
	for _, p := range h.bodies() {
		at := p.operation + " " + p.name
		seen[at] = true
		for _, bad := range wrongOf(p.schema) {
			if allowed[at] != "" || bad != 17 && slices.Contains(judged, p.name) {
				continue
			}
			who := h.boss
			if strings.HasSuffix(p.operation, "Webhook") { // it is Jo's
				who = h.jo
			}
			body, _ := h.body(p.operation, who).(map[string]any)
			got := who.ask(request{method: p.method, path: h.path(p.path) + query(p.operation), body: with(body, p.name, bad)})
			told(t, fmt.Sprintf("%s = %.20q", at, fmt.Sprint(bad)), got, p.name)
			if got.status < http.StatusBadRequest {
				h = furnished(t) // what was done is done
			}
		}
	}
	for at := range allowed {
		if !seen[at] {
			t.Errorf("there is no property %s any more", at)
		}
	}
}

// furnished is a house with all that bodies are about.
func furnished(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.webhook()
	h.application()
	return h
}

// property is one of an operation's body.
type property struct {
	operation, method, path, name string
	schema                        *openapi3.Schema
}

// bodies are the properties of all bodies in the document.
func (h *house) bodies() []property {
	var all []property
	for path, item := range h.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
				continue
			}
			for name, schema := range properties(op.RequestBody.Value.Content["application/json"].Schema.Value, "") {
				all = append(all, property{op.OperationID, method, path, name, schema})
			}
		}
	}
	return all
}

// allowed are properties, by operation and name, and why they have no wrong value.
var allowed = map[string]string{
	"createSite owner":      "whose account is not there hears so, as of any other address",
	"assignSite owner":      "whose account is not there hears so, as of any other address",
	"createCompany package": "it is for newcomers who are made customers, which the body makes nobody",
	"changeCompany package": "it is for newcomers who are made customers, which the body makes nobody",
	"createCronJob command": "the body has a line for the shell, beside which there is none",
	"changeCronJob command": "the body has a line for the shell, beside which there is none",
}

// judged are properties that the API server judges: the cluster of these tests takes all, and
// internal/kube/store_test.go and the pages' test of bad input ask a real one.
var judged = []string{"authorizedKeys", "timeZone", "wwwRedirect", "documentRoot", "uploadSize"}

// properties are those of a body, and of the objects in it, by the name that a problem has.
func properties(s *openapi3.Schema, within string) map[string]*openapi3.Schema {
	all := map[string]*openapi3.Schema{}
	for name, p := range s.Properties {
		if p.Value.ReadOnly || name == "$schema" {
			continue
		}
		all[within+name] = p.Value
		if len(p.Value.Properties) > 0 {
			maps.Copy(all, properties(p.Value, within+name+"."))
		}
	}
	return all
}

// wrongOf are a value of another type than a schema has, and of the right one those that are
// too long, have a control character or are out of range.
func wrongOf(s *openapi3.Schema) []any {
	switch {
	case s.Type.Includes("string"):
		return []any{17, strings.Repeat("x", 50_000), "a\x00b"}
	case s.Type.Includes("array"):
		return []any{"no list", []any{map[string]any{}}, []any{"a\x00b"}}
	case s.Type.Includes("integer"):
		return []any{"many", -1}
	case s.Type.Includes("boolean"):
		return []any{"perhaps"}
	}
	return []any{"no object"}
}

// with is a body with another value at a name.
func with(body map[string]any, name string, value any) map[string]any {
	changed := maps.Clone(body)
	if changed == nil {
		changed = map[string]any{}
	}
	first, rest, deeper := strings.Cut(name, ".")
	if deeper {
		inner, _ := changed[first].(map[string]any)
		value = with(inner, rest, value)
	}
	changed[first] = value
	return changed
}

// told checks a problem document about a property, or about what is in it.
func told(t *testing.T, at string, got reply, name string) {
	t.Helper()
	var p rest.Problem
	if got.status < http.StatusBadRequest || got.status >= http.StatusInternalServerError {
		t.Errorf("%s: %d %.300s", at, got.status, got.body)
		return
	}
	if err := json.Unmarshal(got.body, &p); err != nil || p.Code == "" {
		t.Errorf("%s: %q is no problem document: %v", at, got.body, err)
	}
	if !slices.ContainsFunc(p.Errors, func(e rest.ProblemField) bool {
		return e.Message != "" && (e.Field == name || strings.HasPrefix(e.Field, name+".") || strings.HasPrefix(e.Field, name+"["))
	}) {
		t.Errorf("%s: %d names no such field: %.300s", at, got.status, got.body)
	}
}
