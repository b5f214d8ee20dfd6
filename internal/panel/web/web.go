// Package web is the panel's face in a browser. A handler decodes a form, calls one
// rule of hosting and shows one page; a page is a struct and the templ view beside
// it. It must never hold a rule of the product, a client of Kubernetes or SQL.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/web/asset"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// maxBody is more than any form of ours: a configuration file of 10,000 characters
// that a browser wrote with three octets each, and the rest of its form.
const maxBody = 128 << 10

// Options are what the pages need.
type Options struct {
	Rules *hosting.Provider
	// Wrap lets a request in with whoever is signed in, and Who tells who that is.
	Wrap func(http.Handler) http.Handler
	Who  func(context.Context) (hosting.Actor, bool)
	// Brand is the provider's name.
	Brand string
	Log   *slog.Logger
	Now   func() time.Time
}

// Server serves the pages.
type Server struct {
	Options

	assets  *asset.Set
	locales locale.Set
}

// New prepares everything that does not depend on who asks.
func New(o Options) (*Server, error) {
	assets, err := asset.Load()
	if err != nil {
		return nil, err
	}
	locales, err := locale.Load()
	if err != nil {
		return nil, fmt.Errorf("load the languages: %w", err)
	}
	return &Server{Options: o, assets: assets, locales: locales}, nil
}

// handler answers a request or says why it can't.
type handler func(http.ResponseWriter, *http.Request) error

// routes is the map of the site: every page is one line here.
func (s *Server) routes() map[string]handler {
	return map[string]handler{
		// Without an account.
		"POST /look": s.chooseLook,

		// Sites.
		"GET /{$}":                    s.home,
		"GET /sites":                  s.listSites,
		"GET /sites/new":              s.newSite,
		"POST /sites":                 s.createSite,
		"GET /sites/{site}":           s.showSite,
		"GET /sites/{site}/steps":     s.siteSteps,
		"POST /sites/{site}/password": s.sitePassword,
		"GET /sites/{site}/danger":    s.siteDanger,
		"POST /sites/{site}/delete":   s.deleteSite,
		"POST /sites/{site}/suspend":  s.suspendSite,
		"POST /sites/{site}/resume":   s.resumeSite,
		"POST /sites/{site}/restart":  s.restartSite,
		// Accounts and packages.
		"GET /users":                      s.listUsers,
		"GET /users/new":                  s.newUser,
		"POST /users":                     s.createUser,
		"GET /users/{user}":               s.showUser,
		"POST /users/{user}":              s.changeUser,
		"POST /users/{user}/suspend":      s.suspendUser,
		"POST /users/{user}/resume":       s.resumeUser,
		"POST /users/{user}/delete":       s.deleteUser,
		"GET /packages":                   s.listPackages,
		"GET /packages/new":               s.newPackage,
		"POST /packages":                  s.createPackage,
		"GET /packages/{package}":         s.showPackage,
		"POST /packages/{package}":        s.changePackage,
		"POST /packages/{package}/delete": s.deletePackage,

		// The rest.
		"GET /audit":   s.audit,
		"GET /palette": s.palette,
	}
}

// open are the routes that need nobody to be signed in.
func open() []string {
	return []string{"POST /look"}
}

// Handler serves all pages and the files that they need.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range s.routes() {
		mux.Handle(pattern, s.page(pattern, h))
	}
	mux.Handle("GET /", s.page("GET /", s.nowhere))
	pages := s.Wrap(http.MaxBytesHandler(mux, maxBody))

	all := http.NewServeMux()
	all.Handle("GET "+asset.Prefix, s.assets)
	all.Handle("/", http.NewCrossOriginProtection().Handler(pages))
	return headers(all)
}

// policy is the Content Security Policy of every page (CSP level 3): nothing but our
// own files, and no script or style that stands in a page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// headers adds what every answer carries.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), publickey-credentials-create=(self), publickey-credentials-get=(self)")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}
