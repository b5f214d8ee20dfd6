// Package vitals is what each of our long-running programs tells of itself: whether it
// lives and is ready, in clear, since the kubelet can show no certificate and that says
// nothing of anybody; and what it counts, by TLS, to whom the platform's authority
// certified for that and nothing else.
//
// It must never know what is counted, nor look at anything before somebody asks.
package vitals

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
)

// Where programs listen unless they are told otherwise. The edge has ports 8082 to 8084
// for something else (api/platform/isolation.go).
const (
	HealthAddress  = ":8081"
	MetricsAddress = ":8085"
)

// Limits of a connection. A scrape takes milliseconds.
const (
	headerTimeout = 5 * time.Second // the handshake's too
	writeTimeout  = 30 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 8 << 10
)

// Host is the name by which Prometheus knows every one of the programs. It finds pods by
// their addresses and can be told but one name for all of a job.
func Host(namespace string) string { return "metrics." + namespace + ".svc" }

// Reader is the name in the certificate that opens metrics.
func Reader() pkix.Name {
	return pkix.Name{Organization: []string{"Kubepanel"}, CommonName: "prometheus"}
}

// Identity is a program's certificate. Show returns it and whom to trust for those who
// come, neither of them nil; an error while there is none. It is called at each handshake.
type Identity interface {
	Show(ctx context.Context) (*tls.Certificate, *x509.CertPool, error)
}

// Vitals are one program's.
type Vitals struct {
	// Health and Metrics are host:port to listen on.
	Health, Metrics string
	// Ready tells what is missing; nil when nothing is.
	Ready func(context.Context) error
	// Counts are what is counted.
	Counts prometheus.Gatherer
	// Identity is by whose certificate metrics are served; nil serves none.
	Identity Identity
}

// Serve listens and serves until ctx ends.
func (v *Vitals) Serve(ctx context.Context) error {
	l, err := v.Listen(ctx)
	if err != nil {
		return err
	}
	return l.Serve(ctx)
}

// Listen listens at both ports, so that who can't be asked does not start.
func (v *Vitals) Listen(ctx context.Context) (*Listening, error) {
	var open net.ListenConfig
	health, err := open.Listen(ctx, "tcp", v.Health)
	if err != nil {
		return nil, fmt.Errorf("listen for health: %w", err)
	}
	l := &Listening{vitals: v, health: health}
	if v.Identity == nil {
		return l, nil
	}
	metrics, err := open.Listen(ctx, "tcp", v.Metrics)
	if err != nil {
		_ = health.Close() // nobody came yet
		return nil, fmt.Errorf("listen for metrics: %w", err)
	}
	l.metrics = tls.NewListener(metrics, demand(v.Identity))
	return l, nil
}

// Listening has what Listen opened.
type Listening struct {
	vitals          *Vitals
	health, metrics net.Listener // metrics is nil without an identity
}

// Serve serves until ctx ends, and cuts then what is under way. It is called once.
func (l *Listening) Serve(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return serve(ctx, l.health, l.vitals.healthz(), true) })
	if l.metrics != nil {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", promhttp.HandlerFor(l.vitals.Counts, promhttp.HandlerOpts{}))
		// Who may read is found out for each answer: else a connection that is never let go
		// would outlive its certificate. A handshake takes less than what is asked for.
		all.Go(func() error { return serve(ctx, l.metrics, mux, false) })
	}
	return all.Wait()
}

func serve(ctx context.Context, listener net.Listener, h http.Handler, keepAlive bool) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
	server.SetKeepAlivesEnabled(keepAlive)
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	}
	return nil
}

// healthz answers the kubelet, and whoever looks for metrics where they were once.
func (v *Vitals) healthz() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := v.Ready(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		if v.Identity == nil {
			http.Error(w, "Metrics are served by TLS alone, and this program was not told of a certificate.", http.StatusNotFound)
			return
		}
		http.Error(w, "Metrics are at "+v.Metrics+", by TLS, for who shows the certificate in the Secret prometheus-tls.", http.StatusNotFound)
	})
	return mux
}

// errNobody guards against no roots, which crypto/tls takes for all that the system has.
var errNobody = errors.New("there is no certificate, or nobody is trusted")

// demand has who comes show a certificate of the authority of now, with the reader's name.
func demand(id Identity) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			shown, roots, err := id.Show(hello.Context())
			if err != nil {
				return nil, err
			}
			if shown == nil || roots == nil {
				return nil, errNobody
			}
			return &tls.Config{
				MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}, SessionTicketsDisabled: true,
				Certificates: []tls.Certificate{*shown},
				ClientCAs:    roots, ClientAuth: tls.RequireAndVerifyClientCert, VerifyConnection: isReader,
			}, nil
		},
	}
}

// isReader refuses who was certified for something else.
func isReader(state tls.ConnectionState) error {
	if got := state.PeerCertificates[0].Subject.String(); got != Reader().String() {
		return fmt.Errorf("the certificate of %s is not for reading metrics", got)
	}
	return nil
}
