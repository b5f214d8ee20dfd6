// Package web is the panel's face in a browser. A handler decodes a form, calls one
// rule of hosting and shows one page; a page is a struct and the templ view beside
// it. It must never hold a rule of the product, a client of Kubernetes or SQL.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"kubepanel.io/kubepanel/docs/panel"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/metrics"
	"kubepanel.io/kubepanel/internal/panel/openid"
	"kubepanel.io/kubepanel/internal/panel/streams"
	"kubepanel.io/kubepanel/internal/panel/visit"
	"kubepanel.io/kubepanel/internal/panel/web/asset"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// maxBody is more than any form of ours: a configuration file of 10,000 characters
// that a browser wrote with three octets each, and the rest of its form.
const maxBody = 128 << 10

// Options are what the pages need.
type Options struct {
	Rules *hosting.Provider
	// Doors are the ways in.
	Doors *auth.Auth
	// Wrap and Who are those of Doors: Wrap lets a request in with whoever is signed in,
	// and Who tells who that is.
	Wrap func(http.Handler) http.Handler
	Who  func(context.Context) (hosting.Actor, bool)
	// Databases leads to phpMyAdmin; nil where there is none.
	Databases *visit.Door
	// OpenID lets people sign in to applications by the panel.
	OpenID *openid.Provider
	// Brand is the provider's name where the settings have no other.
	Brand string
	Log   *slog.Logger
	Now   func() time.Time
	// AskAgain is how often it is asked whether somebody still may see what goes on being
	// sent; 10 s when left out.
	AskAgain time.Duration
}

// Server serves the pages.
type Server struct {
	Options

	assets  *asset.Set
	locales locale.Set
	streams streams.Places
	look    look
	guides  library
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
	pictures, err := readPictures(panel.Guides, assets)
	if err != nil {
		return nil, err
	}
	guides, err := readLibrary(panel.Guides, pictures)
	if err != nil {
		return nil, err
	}
	return &Server{Options: o, assets: assets, locales: locales, guides: guides}, nil
}

// handler answers a request or says why it can't.
type handler func(http.ResponseWriter, *http.Request) error

// open is the map of the site for those who are not signed in.
func (s *Server) open() map[string]handler {
	return map[string]handler{
		"GET /sign-in":                          s.signInForm,
		"POST /sign-in":                         s.signIn,
		"GET /sign-in/code":                     s.codeForm,
		"POST /sign-in/code":                    s.code,
		"GET /sign-in/mailed":                   s.mailedForm,
		"POST /sign-in/mailed":                  s.mailed,
		"POST /sign-in/mailed/again":            s.mailAgain,
		"POST /sign-in/passkey":                 s.beginPasskey,
		"POST /sign-in/passkey/answer":          s.finishPasskey,
		"GET /sign-in/company/{company}":        s.toCompany,
		"GET /sign-in/company/{company}/answer": s.fromCompany,
		"GET /start":                            s.startForm,
		"POST /start":                           s.start,
		"POST /sign-out":                        s.signOut,
		"GET /enrol":                            s.enrol,
		"POST /enrol/code":                      s.enrolCode,
		"POST /enrol/code/confirm":              s.enrolCodeConfirm,
		"POST /enrol/passkey":                   s.beginAddPasskey,
		"POST /enrol/passkey/answer":            s.finishAddPasskey,
		"GET " + openid.PathAuthorize:           s.authorize,
		"GET " + openid.PathLeave:               s.leave,
		"GET /forgot":                           s.forgotForm,
		"POST /forgot":                          s.forgot,
		"GET /password":                         s.passwordForm,
		"POST /password":                        s.setPassword,
		"POST /look":                            s.chooseLook,
		"GET " + visit.PathBegin:                s.beginVisit,
		"GET " + brandURL + "{file}":            s.brandFile,
		"GET " + brandURL + "preview.css":       s.previewStyle,
	}
}

// routes is the map of the site: every page is one line here.
func (s *Server) routes() map[string]handler {
	all := map[string]handler{
		"GET /{$}":                        s.home,
		"GET /sites":                      s.listSites,
		"GET /sites/new":                  s.newSite,
		"POST /sites":                     s.createSite,
		"GET /sites/{site}":               s.showSite,
		"GET /sites/{site}/steps":         s.siteSteps,
		"GET /sites/{site}/domains":       s.siteDomains,
		"GET /sites/{site}/settings":      s.siteSettings,
		"GET /sites/{site}/access":        s.siteAccess,
		"POST /sites/{site}/change":       s.changeSite,
		"POST /sites/{site}/password":     s.sitePassword,
		"GET /sites/{site}/logs":          s.showLogs,
		"GET /sites/{site}/logs/download": s.downloadLog,
		"GET /sites/{site}/logs/follow":   s.followLog,
		"GET /users":                      s.listUsers,
		"GET /users/new":                  s.newUser,
		"POST /users":                     s.createUser,
		"GET /users/{user}":               s.showUser,
		"POST /users/{user}":              s.changeUser,
		"POST /users/{user}/suspend":      s.suspendUser,
		"POST /users/{user}/resume":       s.resumeUser,
		"POST /users/{user}/sign-out":     s.signUserOut,
		"POST /users/{user}/link":         s.userLink,
		"POST /users/{user}/invite":       s.mailInvitation,
		"POST /users/{user}/act-as":       s.actAs,
		"POST /act-as/end":                s.actAsEnd,
		"POST /users/{user}/delete":       s.deleteUser,
		"GET /packages":                   s.listPackages,
		"GET /packages/new":               s.newPackage,
		"POST /packages":                  s.createPackage,
		"GET /packages/{package}":         s.showPackage,
		"POST /packages/{package}":        s.changePackage,
		"POST /packages/{package}/delete": s.deletePackage,
		"GET /account":                    s.account,
		"POST /account/password":          s.changePassword,
		"POST /account/sessions/end":      s.endSession,
		"POST /account/browsers/forget":   s.forgetBrowser,
		"POST /account/confirm":           s.confirm,
		"POST /account/code":              s.beginCode,
		"POST /account/code/confirm":      s.confirmCode,
		"POST /account/code/remove":       s.removeCode,
		"POST /account/recovery-codes":    s.newCodes,
		"POST /account/passkey":           s.beginAddPasskey,
		"POST /account/passkey/answer":    s.finishAddPasskey,
		"POST /account/passkey/remove":    s.removePasskey,
		"GET /palette":                    s.palette,
		"GET " + guidesURL:                s.listGuides,
		"GET " + guidesURL + "/{guide}":   s.showGuide,
	}
	for _, more := range []map[string]handler{s.companies(), s.applications(), s.tokens(), s.platformSettings(), s.databaseRoutes(), s.cronRoutes(), s.ownRoutes(), s.fileRoutes(), s.dangerRoutes()} {
		maps.Copy(all, more)
	}
	return all
}

func (s *Server) databaseRoutes() map[string]handler {
	return map[string]handler{
		"GET /sites/{site}/database":           s.siteDatabase,
		"POST /sites/{site}/database":          s.openDatabase,
		"POST /sites/{site}/database/password": s.renewPassword,
	}
}

// cronRoutes are the pages of cron jobs, and of what a site uses.
func (s *Server) cronRoutes() map[string]handler {
	return map[string]handler{
		"GET /sites/{site}/cron":                  s.showCron,
		"POST /sites/{site}/cron":                 s.setCron,
		"GET /sites/{site}/cron/{job}":            s.showCron,
		"POST /sites/{site}/cron/{job}/run":       s.runCron,
		"POST /sites/{site}/cron/{job}/delete":    s.deleteCron,
		"GET /sites/{site}/cron/{job}/runs/{run}": s.cronOutput,
		"GET /sites/{site}/usage":                 s.siteUsage,
	}
}

// ownRoutes are those of the platform itself and its trail, of who works for a customer, and of who has
// lost a second factor.
func (s *Server) ownRoutes() map[string]handler {
	return map[string]handler{
		"POST /users/{user}/factors":              s.resetFactors,
		"GET /users/{user}/collaborators":         s.listCollaborators,
		"POST /users/{user}/collaborators":        s.invite,
		"POST /users/{user}/collaborators/remove": s.removeCollaborator,

		"GET /platform/nodes":               s.listNodes,
		"GET /platform/nodes/{node}":        s.showNode,
		"POST /platform/nodes/{node}/close": s.closeNode,
		"POST /platform/nodes/{node}/open":  s.openNode,
		"GET /platform/catalogue":           s.showCatalogue,

		"GET /audit":        s.audit,
		"GET /audit/export": s.exportAudit,
	}
}

// Pages are the patterns of all that can be looked at, in order: what measures pages,
// or tries who may see them, leaves none out.
func Pages() []string {
	var s Server
	var pages []string
	for pattern := range s.routes() {
		if path, ok := strings.CutPrefix(pattern, "GET "); ok {
			pages = append(pages, path)
		}
	}
	slices.Sort(pages)
	return pages
}

// Actions are the patterns of all that does something, in order: what asks whether that
// can be done without a browser too leaves none out.
func Actions() []string {
	var s Server
	var actions []string
	for _, all := range []map[string]handler{s.open(), s.routes()} {
		for pattern := range all {
			if !strings.HasPrefix(pattern, "GET ") {
				actions = append(actions, pattern)
			}
		}
	}
	slices.Sort(actions)
	return actions
}

// Handler serves all pages and the files that they need.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range s.open() {
		mux.Handle(pattern, s.page(h))
	}
	for pattern, h := range s.routes() {
		mux.Handle(pattern, s.page(s.signedIn(h)))
	}
	mux.Handle("GET /", s.page(s.signedIn(s.nowhere)))
	pages := s.Wrap(bounded(mux))

	all := http.NewServeMux()
	all.Handle("GET "+asset.Prefix, metrics.Routed("GET "+asset.Prefix, s.assets))
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
