package visit

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// PathEnter takes tickets.
	PathEnter = "/enter"
	// PathBegin is the panel's page that brings one from its address.
	PathBegin = "/visit"

	cookieName = "__Host-visit" // a name that no neighbour's site can set (RFC 6265bis section 4.1.3.2)

	// Headers for phpMyAdmin's own configuration (images/phpmyadmin/nginx.conf).
	headerPrefix   = "X-Kubepanel-"
	headerUser     = headerPrefix + "Database-User"
	headerPassword = headerPrefix + "Database-Password"
	headerName     = headerPrefix + "Database-Name"

	// maxTicket and maxBody bound what is taken, in bytes: a form of one field, and an
	// import of 64 MiB with what is around it.
	maxTicket = 16 << 10
	maxBody   = 66 << 20
	// patience is how long one page may take: an import or an export.
	patience = 6 * time.Minute
)

// policy is added to phpMyAdmin's own, which allows more: nothing of a tenant's rows
// sends anything anywhere else.
const policy = "default-src 'self' data: 'unsafe-inline' 'unsafe-eval'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'"

// Before takes what comes under phpMyAdmin's name, and leaves all else to the panel's
// pages. A nil door takes nothing.
func (d *Door) Before(pages http.Handler) http.Handler {
	if d == nil {
		return pages
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Host, d.URL.Host) {
			d.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// ServeHTTP answers under phpMyAdmin's name.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	if r.URL.Path == PathEnter {
		d.enter(w, r)
		return
	}
	v, ok := d.visit(w, r)
	if !ok {
		return
	}
	// Another site of the platform, the panel included, makes no change in here.
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "This came from another site.", http.StatusForbidden)
		return
	}
	d.keep(r.Context(), v)
	long := http.NewResponseController(w)
	now := time.Now()
	long.SetReadDeadline(now.Add(patience))                          //nolint:errcheck // a server without it has no bound to lift
	long.SetWriteDeadline(now.Add(patience))                         //nolint:errcheck // see above
	r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v)) // net/http's own keeps its body
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	d.proxy.ServeHTTP(w, r)
}

// enter makes a visit out of a ticket that the panel's page brought.
func (d *Door) enter(w http.ResponseWriter, r *http.Request) {
	// Who else could bring one would look over the visitor's shoulder.
	if r.Method != http.MethodPost || r.Header.Get("Origin") != d.Panel.Scheme+"://"+d.Panel.Host {
		d.back(w, r, "")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxTicket)
	v, err := d.redeem(r.Context(), r.PostFormValue("ticket"))
	if err != nil {
		d.Log.InfoContext(r.Context(), "refuse a ticket", "err", err)
		d.back(w, r, "")
		return
	}
	if ok, err := d.still(r.Context(), v.Session, v.Site); err != nil || !ok {
		d.back(w, r, v.Site)
		return
	}
	// What an earlier visit left in this browser is none of this one's.
	for _, c := range r.Cookies() {
		if c.Name != cookieName {
			http.SetCookie(w, &http.Cookie{Name: c.Name, Path: "/", MaxAge: -1, Secure: true})
		}
	}
	if before, err := d.cookie(r); err == nil && before.Access != v.Access {
		d.leave(r.Context(), before)
	}
	text, err := d.seal(placeVisit, v)
	if err != nil {
		d.Log.ErrorContext(r.Context(), "make a visit's cookie", "err", err)
		http.Error(w, "Something broke on our side. Try again.", http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: text, Path: "/", MaxAge: int(hosting.VisitLife / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	to := url.URL{Path: "/index.php", RawQuery: url.Values{"route": {"/database/structure"}, "db": {v.Database}}.Encode()}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

// visit returns the visit of a request that may go on, or answers it.
func (d *Door) visit(w http.ResponseWriter, r *http.Request) (*hosting.DatabaseVisit, bool) {
	v, err := d.cookie(r)
	if err != nil || d.Rules.Now().Sub(v.Opened) >= hosting.VisitLife {
		d.back(w, r, "")
		return nil, false
	}
	ok, err := d.still(r.Context(), v.Session, v.Site)
	if err != nil {
		d.Log.ErrorContext(r.Context(), "ask whether a visit may go on", "err", err)
		http.Error(w, "The panel can't answer now. Try again in a moment.", http.StatusServiceUnavailable)
		return nil, false
	}
	if !ok {
		d.leave(r.Context(), v)
		d.back(w, r, v.Site)
	}
	return v, ok
}

// cookie reads the visit that a browser carries.
func (d *Door) cookie(r *http.Request) (*hosting.DatabaseVisit, error) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil, err
	}
	v := &hosting.DatabaseVisit{}
	return v, d.unseal(placeVisit, c.Value, v)
}

// keep lets a visit that is used go on; one that is over answers by itself.
func (d *Door) keep(ctx context.Context, v *hosting.DatabaseVisit) {
	if !d.kept.due(v.Access, v.Opened, d.Rules.Now()) {
		return
	}
	if err := d.Rules.KeepDatabase(ctx, v); err != nil && hosting.CodeOf(err) != hosting.NotFound {
		d.Log.WarnContext(ctx, "keep a visit", "err", err)
	}
}

// leave ends a visit; what can't be ended now ends by itself.
func (d *Door) leave(ctx context.Context, v *hosting.DatabaseVisit) {
	if err := d.Rules.LeaveDatabase(ctx, v); err != nil {
		d.Log.WarnContext(ctx, "end a visit", "err", err)
	}
}

// back leads a browser to the panel, from where one comes in.
func (d *Door) back(w http.ResponseWriter, r *http.Request, site string) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true})
	if r.Method != http.MethodGet && r.URL.Path != PathEnter || r.Header.Get("X-Requested-With") != "" {
		http.Error(w, "The visit is over. Open phpMyAdmin from the panel again.", http.StatusUnauthorized)
		return
	}
	to := *d.Panel
	if to.Path = "/sites"; site != "" {
		to.Path += "/" + site + "/access"
	}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

type visitKey struct{}

// newProxy passes requests on to phpMyAdmin with the visit's account.
func (d *Door) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: d.Transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			v, _ := p.In.Context().Value(visitKey{}).(*hosting.DatabaseVisit)
			p.SetURL(d.Upstream)
			p.Out.Host = d.URL.Host
			dress(p.Out.Header, v)
		},
		ModifyResponse: func(r *http.Response) error {
			undress(r.Header)
			return nil
		},
		FlushInterval: -1, // an export arrives while it is made
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				d.Log.WarnContext(r.Context(), "pass on to phpMyAdmin", "err", err)
			}
			http.Error(w, "phpMyAdmin does not answer. Try again in a moment.", http.StatusBadGateway)
		},
	}
}

// dress puts the visit's account into a request, and takes out whatever else could be
// taken for one or opens the way here.
func dress(h http.Header, v *hosting.DatabaseVisit) {
	cookies := (&http.Request{Header: http.Header{"Cookie": h.Values("Cookie")}}).Cookies()
	for name := range h {
		if plain := strings.ReplaceAll(name, "_", "-"); strings.HasPrefix(http.CanonicalHeaderKey(plain), headerPrefix) {
			delete(h, name)
		}
	}
	h.Del("Authorization")
	h.Del("Cookie")
	for _, c := range cookies {
		if c.Name != cookieName {
			(&http.Request{Header: h}).AddCookie(c)
		}
	}
	h.Set("X-Forwarded-Proto", "https")
	h.Set(headerUser, v.Username)
	h.Set(headerPassword, v.Password)
	h.Set(headerName, v.Database)
}

// undress keeps phpMyAdmin from changing who comes, and adds our bounds to its own.
func undress(h http.Header) {
	set := h.Values("Set-Cookie")
	h.Del("Set-Cookie")
	for _, line := range set {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name != cookieName {
			h.Add("Set-Cookie", line)
		}
	}
	h.Del("Server")
	h.Del("X-Powered-By")
	h.Del("Strict-Transport-Security")
	h.Add("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
