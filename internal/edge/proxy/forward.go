package proxy

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/internal/edge/route"
)

const (
	// dialTimeout is ample inside a cluster and lets a request that met a dead
	// node still try another endpoint.
	dialTimeout = 2 * time.Second
	// retryInterval is how soon the next endpoint is tried.
	retryInterval = 100 * time.Millisecond
	// answerTimeout ends requests that a backend took and never answers.
	answerTimeout = 10 * time.Minute
	// keepAlive is shorter than nginx's 75 s, so that we never send a request
	// into a connection that the backend is just closing.
	keepAlive = 30 * time.Second
	// idlePerBackend bounds the open idle connections to one pod.
	idlePerBackend = 64
	// maxResponseHeader bounds what a backend's header may take of our memory.
	maxResponseHeader = 256 << 10
)

// forwarder is Caddy's reverse proxy with endpoints from the routing table.
type forwarder struct{ reverseproxy.Handler }

func newForwarder(ctx caddy.Context, front *Front) (*forwarder, error) {
	transport, err := newTransport(ctx, front)
	if err != nil {
		return nil, err
	}
	f := &forwarder{reverseproxy.Handler{
		Transport:        transport,
		DynamicUpstreams: upstreams{},
		LoadBalancing: &reverseproxy.LoadBalancing{
			TryDuration:     caddy.Duration(front.RetryFor),
			TryInterval:     caddy.Duration(retryInterval),
			SelectionPolicy: reverseproxy.FirstSelection{},
		},
	}}
	return f, f.Provision(ctx)
}

// attemptKey is where a request's attempt is found in Caddy's variables.
const attemptKey = "kubepanel.attempt"

// attempt walks through the endpoints of a backend: each retry takes the next, of
// those that are there by then.
type attempt struct {
	backend *route.Backend
	next    uint32
	// tls says what is spoken with the endpoint of this try.
	tls bool
}

func (f *forwarder) serve(w http.ResponseWriter, r *http.Request, backend *route.Backend) error {
	caddyhttp.SetVar(r.Context(), attemptKey, &attempt{backend: backend, next: rand.Uint32()})
	return f.ServeHTTP(w, r, nil)
}

// upstreams gives Caddy's proxy one endpoint for each try.
type upstreams struct{}

// GetUpstreams returns the next endpoint of the request's backend, or none.
func (upstreams) GetUpstreams(r *http.Request) ([]*reverseproxy.Upstream, error) {
	a, ok := caddyhttp.GetVar(r.Context(), attemptKey).(*attempt)
	if !ok {
		return nil, nil
	}
	now := a.backend.Endpoints()
	if len(now.Addresses) == 0 {
		return nil, nil
	}
	address := now.Addresses[a.next%uint32(len(now.Addresses))]
	a.next++
	a.tls = now.TLS
	// Caddy writes into the upstream, so requests can't share one.
	return []*reverseproxy.Upstream{{Dial: address}}, nil
}

// transport is Caddy's for HTTP, but it leaves no trace in the request.
type transport struct {
	*reverseproxy.HTTPTransport

	inner *inner
}

func newTransport(ctx caddy.Context, front *Front) (*transport, error) {
	t := &transport{HTTPTransport: &reverseproxy.HTTPTransport{
		Versions:              []string{"1.1"},
		Compression:           ptr.To(false),
		ResponseHeaderTimeout: caddy.Duration(answerTimeout),
		MaxResponseHeaderSize: maxResponseHeader,
		KeepAlive: &reverseproxy.KeepAlive{
			IdleConnTimeout:     caddy.Duration(keepAlive),
			MaxIdleConnsPerHost: idlePerBackend,
		},
	}}
	if err := t.Provision(ctx); err != nil {
		return nil, err
	}
	// Pods are reached directly, whatever the environment says of proxies.
	t.Transport.Proxy = nil
	t.Transport.DialContext = dialer(front.Dial)
	t.inner = newInner(t.Transport, front)
	return t, nil
}

// dialer marks what went wrong before anything was sent: that alone may be tried
// again for every method.
func dialer(dial Dial) Dial {
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, reverseproxy.NewDialError(err)
		}
		return conn, nil
	}
}

// RoundTrip sends the request with the visitor's address, set here so that no
// Connection header can name it for removal, and without Caddy's Via: with one,
// nginx takes the visitor for a proxy and does not compress (gzip_proxied).
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	delete(r.Header, "Via")
	delete(r.Header, "X-Real-Ip")
	if client, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		r.Header["X-Real-Ip"] = []string{client}
	}
	// On a retry Caddy leaves port 80 out, which an IPv6 address does not survive.
	if to, ok := reverseproxy.GetDialInfo(r.Context()); ok {
		r.URL.Host = to.Address
	}
	if a, ok := caddyhttp.GetVar(r.Context(), attemptKey).(*attempt); ok && a.tls {
		r.URL.Scheme = "https"
		return t.inner.roundTrip(r, a.backend.Ref.Service)
	}
	// The request may have the other one from its last try.
	r.URL.Scheme = "http"
	return t.HTTPTransport.RoundTrip(r)
}
