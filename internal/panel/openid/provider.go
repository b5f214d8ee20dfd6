// Package openid lets people sign in by the panel to the applications around it: it is an
// OpenID Connect provider with the authorization code flow and PKCE, and nothing else.
// Every sign-in hangs on the session of a browser that is signed in to the panel.
//
// Who may sign in where is hosting's to say, and how one signs in to the panel is
// auth's. Pages are the face's.
package openid

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/metrics"
)

// Where everything is. A browser is led to the first two, which are pages of the panel;
// the others are for programs.
const (
	PathAuthorize = "/openid/authorize"
	PathLeave     = "/openid/leave"

	pathDiscovery = "/.well-known/openid-configuration"
	pathKeys      = "/openid/keys"
	pathToken     = "/openid/token"
	pathUserinfo  = "/openid/userinfo"
)

const (
	// codeLife is how long a browser may take to bring a code to its application (OWASP
	// ASVS 5.0, 10.4.3).
	codeLife = time.Minute
	// tokenLife is that of an access token, and of what is signed.
	tokenLife = time.Hour
	// maxBody bounds what a program sends, maxQuery what a browser is led with, in octets.
	maxBody  = 64 << 10
	maxQuery = 8 << 10
)

// Options are what it needs.
type Options struct {
	Rules *hosting.Provider
	Doors *auth.Auth
	Log   *slog.Logger
	// Outside and Inside reach what applications have told of sessions that end: the second
	// also what is not public, for those that an administrator allowed that.
	Outside, Inside *http.Client
	// KeyBits is the size of signing keys; zero for the usual.
	KeyBits int
}

// Provider answers applications.
type Provider struct {
	Options

	store hosting.Store
}

// New prepares it.
func New(o Options) *Provider { return &Provider{Options: o, store: o.Rules.Store} }

func (p *Provider) now() time.Time { return p.Rules.Now() }

// Issuer is the provider's name: the panel's address.
func (p *Provider) Issuer() string { return strings.TrimSuffix(p.Doors.URL.String(), "/") }

func (p *Provider) address(path string) string { return p.Issuer() + path }

// Before answers programs, and leaves all else to the panel's pages. A nil provider
// answers nothing.
func (p *Provider) Before(pages http.Handler) http.Handler {
	if p == nil {
		return pages
	}
	mux := http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"GET " + pathDiscovery: p.discovery,
		"GET " + pathKeys:      p.keySet,
		"POST " + pathToken:    p.token,
		"GET " + pathUserinfo:  p.userinfo,
		"POST " + pathUserinfo: p.userinfo,
		// What another site's form brings has no cookie with it, a link has (OpenID Connect
		// Core section 3.1.2.1 allows both).
		"POST " + PathAuthorize: asLink,
		"POST " + PathLeave:     asLink,
	} {
		mux.Handle(pattern, metrics.Routed(pattern, headers(http.MaxBytesHandler(h, maxBody))))
	}
	mux.Handle("/", pages)
	return mux
}

// headers adds what every answer to a program carries.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// asLink leads a browser that brings a form to the same place with a query.
func asLink(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form can't be read.", http.StatusBadRequest)
		return
	}
	query := r.PostForm.Encode()
	if len(query) > maxQuery {
		http.Error(w, "That is more than any application has to say.", http.StatusRequestEntityTooLarge)
		return
	}
	http.Redirect(w, r, r.URL.Path+"?"+query, http.StatusSeeOther)
}

// single returns parameters that come once at most (RFC 6749 section 3.1), and whether all
// do.
func single(in url.Values) bool {
	for _, values := range in {
		if len(values) > 1 {
			return false
		}
	}
	return true
}

// holder returns who a pass belongs to, as long as the session that it came from goes on
// and its person may still sign in to the application.
func (p *Provider) holder(ctx context.Context, pass *hosting.Pass, app *hosting.Application) (hosting.Actor, error) {
	a, err := p.Doors.ActorOfSession(ctx, pass.Session)
	if err != nil {
		return a, err
	}
	if a.ID != pass.User || pass.Application != app.ID {
		return a, &hosting.Error{Code: hosting.SignIn, Message: "The sign-in is over."}
	}
	return a, mayEnter(a, app)
}

// mayEnter tells whether somebody may sign in to an application.
func mayEnter(a hosting.Actor, app *hosting.Application) error {
	if a.Behind != "" {
		return &hosting.Error{Code: hosting.Forbidden, Message: "You are here as " + a.Name + ", and nobody signs in to " + app.Name + " as somebody else.", Mend: "Go back to your own account first."}
	}
	if err := hosting.May(a, hosting.RightSelfSignIn, hosting.Object{Owner: a.ID}); err != nil {
		return err
	}
	if !app.Admits(a.Role) {
		return &hosting.Error{Code: hosting.Forbidden, Message: "Your account may not sign in to " + app.Name + ".", Mend: "Ask who runs this panel."}
	}
	return nil
}

// over tells errors that say no rather than that something broke.
func over(err error) bool {
	return slices.Contains([]hosting.Code{hosting.SignIn, hosting.Forbidden, hosting.NotFound}, hosting.CodeOf(err))
}
