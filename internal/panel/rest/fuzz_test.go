package rest_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// odd are values that break programs which trust what they get.
func odd() []any {
	return []any{"", " ", "a", "-1", "0", "999999999999999999999", "true", "null", "\x00", "\u202e", "../../etc/passwd", "%00", "'; DROP TABLE users; --",
		"<script>", strings.Repeat("x", 5000), "ü.example", "xn--a", "*", "a.example", "\xff", "{{7*7}}", "2026-01-01", "5Gi", "php:8.4", "KEY=VALUE", "=", "https://[::1",
		-1, 0, 1, 1e308, int64(1) << 62, 1.5, true, false, nil, []any{}, []any{nil}, map[string]any{}, map[string]any{"a": map[string]any{"a": nil}}}
}

// fuzzer makes requests out of the document.
type fuzzer struct {
	*rand.Rand
	house *house
}

func (f *fuzzer) odd() any {
	all := odd()
	return all[f.IntN(len(all))]
}

// value is one that a schema allows, most of the time.
func (f *fuzzer) value(s *openapi3.Schema, depth int) any {
	if f.IntN(8) == 0 || depth > 4 {
		return f.odd()
	}
	if len(s.Enum) > 0 {
		return s.Enum[f.IntN(len(s.Enum))]
	}
	switch {
	case s.Type.Includes("object"):
		o := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if slices.Contains(s.Required, name) && f.IntN(16) > 0 || f.IntN(2) == 0 {
				o[name] = f.value(s.Properties[name].Value, depth+1)
			}
		}
		if f.IntN(10) == 0 {
			o["unknown"] = f.odd()
		}
		return o
	case s.Type.Includes("array"):
		list := []any{}
		for range f.IntN(4) {
			list = append(list, f.value(s.Items.Value, depth+1))
		}
		return list
	case s.Type.Includes("integer"), s.Type.Includes("number"):
		return f.IntN(300) - 20
	case s.Type.Includes("boolean"):
		return f.IntN(2) == 0
	}
	real := []any{"jo.example", "new.example", string(f.house.pack), string(f.house.jo.user.ID), "jo@shop.example", "site.view", "5Gi", "500m", "php:8.4", "https://hooks.example/",
		"/html/index.php", "/html/old", "/html"}
	return real[f.IntN(len(real))]
}

// request is one for an operation.
func (f *fuzzer) request(method, path string, op *openapi3.Operation) request {
	query := url.Values{}
	q := request{method: method, header: map[string]string{}}
	if f.IntN(4) > 0 {
		path = f.house.path(path)
	}
	for _, p := range op.Parameters {
		value := fmt.Sprint(f.value(p.Value.Schema.Value, 0))
		switch {
		case p.Value.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", strings.NewReplacer("/", "%2F", "?", "%3F", "#", "%23").Replace(url.PathEscape(value)))
		case p.Value.In == "query" && f.IntN(3) == 0:
			query.Set(p.Value.Name, value)
		case p.Value.In == "header" && f.IntN(3) == 0 && !strings.ContainsAny(value, "\x00\n\r"):
			q.header[p.Value.Name] = value
		}
	}
	q.path = path
	if len(query) > 0 {
		q.path += "?" + query.Encode()
	}
	if op.RequestBody != nil && f.IntN(16) > 0 {
		q.body = fmt.Sprint(f.odd())
		if form := op.RequestBody.Value.Content["application/json"]; form != nil {
			q.body = f.value(form.Schema.Value, 0)
		}
	}
	return q
}

// attack asks every operation something, as one of all accounts.
func (h *house) attack(seed uint64) {
	h.t.Helper()
	f := &fuzzer{rand.New(rand.NewPCG(seed, 0)), h}
	who := []*account{h.boss, h.seller, h.jo, h.helper, h.al}
	paths := h.doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range slices.Sorted(maps.Keys(paths[path].Operations())) {
			op := paths[path].Operations()[method]
			if op.OperationID == "endToken" {
				continue // nobody could ask anything afterwards
			}
			q := f.request(method, path, op)
			got := who[f.IntN(len(who))].ask(q)
			if got.status >= http.StatusInternalServerError {
				h.t.Errorf("seed %d: %s %q with %v = %d %s\n%s", seed, method, q.path, q.body, got.status, got.body, h.log)
			}
		}
	}
}

// No request makes the API fail, and every answer is what the document says.
func TestNoRequestBreaksIt(t *testing.T) {
	h := newHouse(t)
	h.webhook()
	h.application()
	for seed := range uint64(20) {
		h.attack(seed)
	}
}

func FuzzAPI(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		h := newHouse(t)
		h.webhook()
		h.application()
		h.attack(seed)
	})
}
