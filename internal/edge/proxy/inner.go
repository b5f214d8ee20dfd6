package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"k8s.io/apimachinery/pkg/types"

	"kubepanel.io/kubepanel/internal/edge/cert"
)

const (
	// handshakeTimeout bounds the TLS handshake with a pod.
	handshakeTimeout = 5 * time.Second
	// tellEvery is how often it is told that a pod is not who it should be.
	tellEvery = time.Minute
)

// inner speaks TLS with the pods of Services that ask for it. Those of the platform's
// own namespace have to show a certificate of the platform's authority for their Service's
// name. Of others nobody says who signs for them, so what goes to them is encrypted, and
// whom it reaches is as certain as it is without.
type inner struct {
	front *Front
	// Two, since a connection is found again by its address alone: one that was not
	// verified must never carry what is for the platform.
	own, strangers *http.Transport
	told           atomic.Int64 // when it was last told, Unix seconds
}

// newInner takes its bounds from the transport for what is plain.
func newInner(plain *http.Transport, front *Front) *inner {
	i := &inner{front: front, own: plain.Clone(), strangers: plain.Clone()}
	i.own.DialTLSContext = i.dialer(plain.DialContext, func(name string) (*tls.Config, error) {
		roots := front.Authority.Roots()
		if roots == nil {
			return nil, cert.ErrNoCA
		}
		return &tls.Config{ServerName: name, RootCAs: roots, MinVersion: tls.VersionTLS13}, nil
	})
	i.strangers.DialTLSContext = i.dialer(plain.DialContext, func(name string) (*tls.Config, error) {
		return &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, nil //nolint:gosec // the type's comment says why
	})
	return i
}

// serviceKey is where the dialer finds whose pod it is.
type serviceKey struct{}

func (i *inner) roundTrip(r *http.Request, service types.NamespacedName) (*http.Response, error) {
	r = r.WithContext(context.WithValue(r.Context(), serviceKey{}, service))
	if service.Namespace == i.front.Namespace {
		return i.own.RoundTrip(r)
	}
	return i.strangers.RoundTrip(r)
}

// dialer connects and shakes hands. Nothing has been sent before both are done, so a
// request may be tried again elsewhere.
func (i *inner) dialer(dial Dial, config func(name string) (*tls.Config, error)) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		service, _ := ctx.Value(serviceKey{}).(types.NamespacedName)
		conn, err := handshake(ctx, raw, service, config)
		if err != nil {
			raw.Close()
			i.tell(ctx, service, address, err)
			return nil, reverseproxy.NewDialError(err)
		}
		return conn, nil
	}
}

func handshake(ctx context.Context, raw net.Conn, service types.NamespacedName, config func(name string) (*tls.Config, error)) (net.Conn, error) {
	c, err := config(service.Name + "." + service.Namespace + ".svc")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn := tls.Client(raw, c)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("speak TLS with a pod of Service %s: %w", service, err)
	}
	return conn, nil
}

// tell says now and then what visitors only see as "No answer".
func (i *inner) tell(ctx context.Context, service types.NamespacedName, address string, err error) {
	now, last := time.Now().Unix(), i.told.Load()
	if now-last < int64(tellEvery/time.Second) || !i.told.CompareAndSwap(last, now) {
		return
	}
	i.front.Log.WarnContext(ctx, "a pod does not speak TLS as its Service says, or is not who it should be",
		slog.String("service", service.String()), slog.String("address", address), slog.Any("error", err))
}
