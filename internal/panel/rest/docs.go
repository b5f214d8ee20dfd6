package rest

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/httpstatus"
)

// introduction stands before the operations in the document.
const introduction = `Everything that the panel can do, for programs.

A request carries a token in the header Authorization; the provider prints one with panel token.
What goes wrong is told by a problem document (RFC 9457) with a code, what mends it, and the fields that it is about.`

//go:embed docs.css
var docsStyle []byte

// docsPolicy lets the page show itself in its own style, and do nothing else: it has no
// script.
const docsPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsPage is what the page shows.
type docsPage struct {
	Title, Introduction string
	Groups              []docsGroup
	Schemas             []docsSchema
	Codes               []docsCode
}

type docsGroup struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	Method, Path string
	*huma.Operation

	Body, Answer string // the names of schemas
}

type docsSchema struct {
	Name   string
	Fields []docsField
}

type docsField struct {
	Name, Type, Says string
	Required         bool
}

type docsCode struct {
	Code   hosting.Code
	Status int
}

// makeDocs makes the page out of the document, and serves it with its style.
func (s *Server) makeDocs() error {
	var out bytes.Buffer
	if err := docs(s.docsPage()).Render(context.Background(), &out); err != nil {
		return fmt.Errorf("write the page of the API: %w", err)
	}
	serve := func(path, kind string, content []byte) {
		s.mux.HandleFunc("GET "+Prefix+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Content-Security-Policy", docsPolicy)
			w.Write(content) //nolint:errcheck // a client that went away
		})
	}
	serve("/docs", "text/html; charset=utf-8", out.Bytes())
	serve("/docs.css", "text/css; charset=utf-8", docsStyle)
	return nil
}

func (s *Server) docsPage() docsPage {
	doc := s.api.OpenAPI()
	p := docsPage{Title: doc.Info.Title, Introduction: doc.Info.Description}
	groups := map[string][]docsOperation{}
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			o := docsOperation{Method: op.Method, Path: Prefix + path, Operation: op}
			if op.RequestBody != nil {
				o.Body = schemaName(op.RequestBody.Content["application/json"])
			}
			for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
				if o.Answer == "" && strings.HasPrefix(status, "2") {
					o.Answer = schemaName(op.Responses[status].Content["application/json"])
				}
			}
			groups[op.Tags[0]] = append(groups[op.Tags[0]], o)
		}
	}
	for name, all := range groups {
		slices.SortFunc(all, func(a, b docsOperation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
		p.Groups = append(p.Groups, docsGroup{name, all})
	}
	slices.SortFunc(p.Groups, func(a, b docsGroup) int { return strings.Compare(a.Name, b.Name) })
	for name, schema := range doc.Components.Schemas.Map() {
		p.Schemas = append(p.Schemas, docsSchema{name, fieldsOf(schema)})
	}
	slices.SortFunc(p.Schemas, func(a, b docsSchema) int { return strings.Compare(a.Name, b.Name) })
	for _, code := range []hosting.Code{hosting.Invalid, hosting.SignIn, hosting.Forbidden, hosting.NotFound, hosting.Conflict, hosting.Changed, hosting.OverQuota,
		hosting.Limited, hosting.Stalled, hosting.Broken, hosting.Unreachable, hosting.NotInstalled, hosting.Timeout, hosting.Internal} {
		p.Codes = append(p.Codes, docsCode{code, httpstatus.Of(code)})
	}
	return p
}

func schemaName(m *huma.MediaType) string {
	if m == nil || m.Schema == nil {
		return ""
	}
	return nameOf(m.Schema.Ref)
}

func nameOf(ref string) string { return strings.TrimPrefix(ref, "#/components/schemas/") }

func fieldsOf(schema *huma.Schema) []docsField {
	var all []docsField
	for name, field := range schema.Properties {
		kind := field.Type
		switch {
		case field.Ref != "":
			kind = nameOf(field.Ref)
		case field.Items != nil && field.Items.Ref != "":
			kind = "array of " + nameOf(field.Items.Ref)
		case field.Items != nil:
			kind = "array of " + field.Items.Type
		}
		says := field.Description
		if len(field.Enum) > 0 {
			says = strings.TrimSpace(fmt.Sprintf("%s One of %v.", says, field.Enum))
		}
		all = append(all, docsField{name, kind, says, slices.Contains(schema.Required, name)})
	}
	slices.SortFunc(all, func(a, b docsField) int { return strings.Compare(a.Name, b.Name) })
	return all
}
