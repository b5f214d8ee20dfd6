// Package rest is the panel's face for programs: /api/v1. An operation decodes a
// request, calls one rule of hosting and writes one representation; the OpenAPI document
// is made from the same Go types. It must never hold a rule of the product, a client
// of Kubernetes or SQL.
package rest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/streams"
	"kubepanel.io/kubepanel/internal/panel/visit"
)

// Prefix is where the API is served.
const Prefix = "/api/v1"

// maxBody is more than any request of ours: two configuration files of 10,000
// characters, escaped, and the rest of a site. In octets.
const maxBody = 128 << 10

// Options are what the API needs.
type Options struct {
	Rules *hosting.Provider
	Doors *auth.Auth
	// Databases leads to phpMyAdmin; nil where there is none.
	Databases *visit.Door
	Log       *slog.Logger
	Now       func() time.Time
	// Rate is how often an account may ask; zero for usualRate.
	Rate Rate
	// AskAgain is how often it is asked whether somebody still may have an answer that
	// goes on; zero for streams.AskAgain.
	AskAgain time.Duration
}

// Server serves the API.
type Server struct {
	Options

	api    huma.API
	mux    *http.ServeMux
	limits *limits
	// streams counts logs that are followed.
	streams streams.Places
	facts   map[string]operation // by the pattern of the mux
	schema  []byte               // the document, made once
}

// New prepares all operations and their document.
func New(o Options) (*Server, error) {
	speakOurWay()
	if o.Rate == (Rate{}) {
		o.Rate = usualRate
	}
	s := &Server{Options: o, mux: http.NewServeMux(), limits: newLimits(o.Rate), facts: map[string]operation{}}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Kubepanel", Version: "v1", Description: introduction},
			Servers: []*huma.Server{{URL: Prefix}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					schemeToken: {Type: "http", Scheme: "bearer", Description: "A token of the account, as panel token prints it."},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
	s.api = humago.NewWithPrefix(s.mux, Prefix, config)
	s.sites()
	s.siteActions()
	s.files()
	s.uploads()
	s.logs()
	s.cron()
	s.findings()
	s.usage()
	s.nodes()
	s.companies()
	s.users()
	s.collaborators()
	s.packages()
	s.audit()
	s.platform()
	s.settings()
	s.account()
	s.webhooks()
	s.applications()
	return s, s.describe()
}

// describe makes the document and what is served beside it.
func (s *Server) describe() error {
	var err error
	if s.schema, err = s.api.OpenAPI().MarshalJSON(); err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	s.mux.HandleFunc("GET "+Prefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Write(s.schema) //nolint:errcheck // a client that went away
	})
	s.mux.HandleFunc("/", s.nowhere)
	return s.makeDocs()
}

// Document returns the OpenAPI document, as it is served.
func (s *Server) Document() []byte { return s.schema }

// Handler serves everything below Prefix.
func (s *Server) Handler() http.Handler {
	return headers(s.catch(s.bounded(s.knock(s.once(s.tagged(s.mux))))))
}

// longest is how long an operation may take whose work is in a site: packing or copying
// all that is in it.
const longest = 10 * time.Minute

// bounded bounds what a request may send, and how long it may take where that is not
// the server's own bound.
func (s *Server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := s.mux.Handler(r)
		op := s.facts[pattern]
		if op.long {
			to, until := http.NewResponseController(w), time.Now().Add(longest)
			_ = errors.Join(to.SetReadDeadline(until), to.SetWriteDeadline(until)) // a test's recorder has none
		}
		// It bounds a copy: in the request that it holds, net/http must see whether its own
		// body was given up midway, else what is left of one that was refused is the
		// connection's next request.
		http.MaxBytesHandler(next, max(op.body, maxBody)).ServeHTTP(w, r)
	})
}

// headers adds what every answer carries. None of it is a page, so nothing in it may
// run or be framed.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
