package proxy

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"kubepanel.io/kubepanel/internal/edge/route"
)

// handler answers every request: it finds the site, and proxies, redirects, refuses
// or shows a page.
type handler struct {
	module
	front   *Front
	forward *forwarder
}

// Provision sets the reverse proxy up.
func (h *handler) Provision(ctx caddy.Context) error {
	var err error
	h.forward, err = newForwarder(ctx, h.front)
	return err
}

// Cleanup ends the streams that the reverse proxy keeps (web sockets).
func (h *handler) Cleanup() error { return h.forward.Cleanup() }

// ServeHTTP never returns an error: what goes wrong is answered with a page here,
// so that Caddy logs no request's header or query.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	start := time.Now()
	rec := &recorder{ResponseWriter: w, cut: true}
	path := r.URL.Path
	// Deferred, for the proxy panics to cut a response whose backend died midway.
	defer func() {
		took := time.Since(start)
		h.front.Metrics.observe(rec.status, r.TLS != nil, took)
		if h.front.AccessLog != nil {
			h.log(rec, r, path, took)
		}
	}()
	h.front.Metrics.inFlight.Inc()
	defer h.front.Metrics.inFlight.Dec()
	defer h.front.boundUpload(w, r)()
	h.answer(rec, r)
	rec.cut = false
	return nil
}

func (h *handler) answer(w http.ResponseWriter, r *http.Request) {
	host := route.NormalHost(r.Host)
	site := h.front.Table().Site(host)
	if site == nil {
		unknownHost(w, r)
		return
	}
	if site.Suspended {
		pageSuspended.write(w)
		return
	}
	if r.TLS == nil && site.HTTPSOnly(r.URL.Path) {
		problemPlain.write(w)
		return
	}
	if location := h.redirection(site, host, r); location != "" {
		redirect(w, r, location)
		return
	}
	// A tunnel to anywhere is not what a web site is for, nor an answer that repeats what
	// a browser keeps from scripts.
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	backend := site.Backend(r.URL.Path)
	if backend == nil {
		pageNoPath.write(w)
		return
	}
	dropClaims(r)
	if err := h.forward.serve(w, r, backend); err != nil {
		backendError(w, err)
	}
}

// unknownHost answers for a host that no Ingress names. On a TLS connection the
// handshake was for another name, so RFC 9110 section 15.5.20 has a status for it.
func unknownHost(w http.ResponseWriter, r *http.Request) {
	if r.TLS != nil {
		pageMisdirected.write(w)
		return
	}
	pageNoHost.write(w)
}

// redirection returns where the request has to go instead, or "". Both redirects
// are made in one step.
func (h *handler) redirection(site *route.Site, host string, r *http.Request) string {
	secure := r.TLS != nil
	if site.RedirectTo != "" {
		host = site.RedirectTo
	} else if secure || !site.SSLRedirect {
		return ""
	}
	base := h.front.Public.URL(host)
	if !secure && !site.SSLRedirect {
		base = h.front.Public.PlainURL(host)
	}
	uri := r.URL.RequestURI()
	if uri[0] != '/' {
		uri = "/" // OPTIONS *
	}
	return base + uri
}

// redirect moves the visitor for good, but browsers shall not hold on to it for
// long: which of two names is the main one may be changed back.
func redirect(w http.ResponseWriter, r *http.Request, location string) {
	// 301 is known to every client; where it would turn a POST into a GET, 308 is
	// needed (RFC 9110 section 15.4).
	status := http.StatusPermanentRedirect
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		status = http.StatusMovedPermanently
	}
	header := w.Header()
	header.Del("Server")
	header.Set("Location", location)
	header.Set("Cache-Control", "max-age=300")
	header.Set("Content-Length", "0")
	w.WriteHeader(status)
}

// dropClaims takes away what the visitor says about who and where they are. The
// proxy adds what is true: X-Forwarded-For, -Proto, -Host and X-Real-IP.
func dropClaims(r *http.Request) {
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded-") {
			delete(r.Header, name)
		}
	}
	delete(r.Header, "Forwarded")
	// Programs that make HTTP_PROXY of it would send their requests there.
	delete(r.Header, "Proxy")
}

// backendError shows why there is no answer, as far as a visitor may know.
func backendError(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if he, ok := errors.AsType[caddyhttp.HandlerError](err); ok && he.StatusCode != 0 {
		status = he.StatusCode
	}
	switch status {
	case http.StatusServiceUnavailable:
		pageNoBackend.write(w)
	case http.StatusGatewayTimeout:
		pageTimeout.write(w)
	case statusClientGone:
		w.WriteHeader(statusClientGone)
	default:
		pageBadGateway.write(w)
	}
}

// statusClientGone is nginx's code for a visitor who left before the answer.
const statusClientGone = 499
