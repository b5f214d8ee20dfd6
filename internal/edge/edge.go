package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/kubernetes"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/edge/cert"
	"kubepanel.io/kubepanel/internal/edge/proxy"
	"kubepanel.io/kubepanel/internal/edge/route"
	"kubepanel.io/kubepanel/internal/edge/watch"
)

// Config is what an edge is made of.
type Config struct {
	Client   kubernetes.Interface
	Settings *platform.Settings
	// HTTPListen and HTTPSListen are host:port to listen on, and so are HealthListen and,
	// by TLS, MetricsListen.
	HTTPListen, HTTPSListen, HealthListen, MetricsListen string
	// Addresses are written into the status of Ingresses; none writes none.
	Addresses []string
	// AccessLog gets a JSON line per request; nil writes none.
	AccessLog io.Writer
	Log       *slog.Logger
	LogLevel  slog.Level
	// Linger is how long the edge still takes requests, but says that it is not
	// ready, before it stops listening.
	Linger time.Duration
	// Drain bounds the wait for requests under way after that.
	Drain time.Duration
	// RetryFor bounds how long a request waits for a backend that can be reached.
	RetryFor time.Duration
	// Stall ends uploads and downloads that stand still for so long; 0 takes a
	// minute.
	Stall time.Duration
	// Probes listens where the operator tries whether policies are enforced.
	Probes bool
	// Dial connects to a pod; nil dials TCP.
	Dial proxy.Dial
}

// Edge is one edge. New makes it, Run runs it once.
type Edge struct {
	config    Config
	routes    *route.Registry
	authority *cert.Authority
	own       *cert.Own
	// serving is true from when visitors can connect until the stop begins.
	serving atomic.Bool
}

// New returns an edge that listens on nothing yet.
func New(config Config) *Edge {
	return &Edge{
		config:    config,
		routes:    route.NewRegistry(config.Settings.IngressClass),
		authority: &cert.Authority{},
		own:       &cert.Own{},
	}
}

// Run serves until ctx ends and then stops without cutting a request, within the
// bounds of the configuration. It waits for the API server and for the CA as long
// as it takes; readiness tells which is missing.
func (e *Edge) Run(ctx context.Context) error {
	registry, requests, err := e.metrics()
	if err != nil {
		return fmt.Errorf("declare metrics: %w", err)
	}
	stopTelling, err := e.tell(ctx, registry)
	if err != nil {
		return err
	}
	defer stopTelling()
	if err := e.serveProbes(ctx); err != nil {
		return err
	}

	// Watches outlive ctx: while the last requests are answered, endpoints change.
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	var watches sync.WaitGroup
	defer watches.Wait()
	defer stopWatching()
	synced := make(chan struct{})
	watches.Go(func() { e.cluster().Run(watching, synced) })
	select {
	case <-synced:
	case <-ctx.Done():
		return nil
	}
	e.config.Log.Info("routes are known", "hosts", e.routes.Table().Len())

	front := e.front(requests)
	if err := front.Start(); err != nil {
		return err
	}
	e.serving.Store(true)
	e.config.Log.Info("serving", "http", e.config.HTTPListen, "https", e.config.HTTPSListen)
	<-ctx.Done()
	return e.stop(context.WithoutCancel(ctx), front)
}

// stop lets those in front of the edge notice that it goes, then lets requests
// under way end.
func (e *Edge) stop(ctx context.Context, front *proxy.Front) error {
	e.serving.Store(false)
	e.config.Log.Info("stopping", "linger", e.config.Linger, "drain", e.config.Drain)
	linger, done := context.WithTimeout(ctx, e.config.Linger)
	<-linger.Done()
	done()
	drain, done := context.WithTimeout(ctx, e.config.Drain)
	defer done()
	left, err := front.Stop(drain)
	if left > 0 {
		e.config.Log.Warn("connections were cut", "connections", left)
	}
	return err
}

func (e *Edge) cluster() *watch.Cluster {
	return &watch.Cluster{
		Client:    e.config.Client,
		Settings:  e.config.Settings,
		Routes:    e.routes,
		Authority: e.authority,
		Own:       e.own,
		Addresses: e.config.Addresses,
		Log:       e.config.Log,
	}
}

func (e *Edge) front(requests *proxy.Metrics) *proxy.Front {
	f := &proxy.Front{
		Table:       e.routes.Table,
		Authority:   e.authority,
		Own:         e.own,
		Namespace:   e.config.Settings.Namespace,
		Public:      e.config.Settings.Edge,
		HTTPListen:  e.config.HTTPListen,
		HTTPSListen: e.config.HTTPSListen,
		Metrics:     requests,
		Log:         e.config.Log,
		// Caddy tells much at Info that is of no use here.
		LogLevel: max(e.config.LogLevel, slog.LevelWarn),
		RetryFor: e.config.RetryFor,
		Stall:    e.config.Stall,
		Dial:     e.config.Dial,
	}
	if e.config.LogLevel < slog.LevelInfo {
		f.LogLevel = e.config.LogLevel
	}
	if e.config.AccessLog != nil {
		f.AccessLog = slog.New(slog.NewJSONHandler(e.config.AccessLog, nil))
	}
	return f
}

// errNotReady is what readiness says before visitors are served.
var errNotReady = errors.New("not ready")

// ready returns nil when visitors are served, else what is missing.
func (e *Edge) ready(context.Context) error {
	switch {
	case e.routes.Table() == nil:
		return fmt.Errorf("%w: the API server has not told all routes yet", errNotReady)
	case !e.authority.Ready():
		return fmt.Errorf("%w: Secret %s/%s is not there or holds no CA", errNotReady, e.config.Settings.Namespace, platform.SecretCA)
	case !e.serving.Load():
		return fmt.Errorf("%w: not listening", errNotReady)
	}
	return nil
}
