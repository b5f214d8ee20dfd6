package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/caddyserver/caddy/v2"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/edge/cert"
	"kubepanel.io/kubepanel/internal/edge/route"
)

// Dial connects to an address.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Front serves visitors. Its fields are set before Start.
//
// Caddy runs once in a process, so at most one Front is started at a time.
type Front struct {
	// Table returns the routing table in force.
	Table func() *route.Table
	// Authority makes certificates; Own has those that sites bring.
	Authority *cert.Authority
	Own       *cert.Own
	// Namespace is the platform's own, where a Service that speaks TLS is one that the
	// Authority signed for.
	Namespace string
	// Public is how visitors see the edge: ports, and proxies to be believed.
	Public platform.Edge
	// HTTPListen and HTTPSListen are host:port to listen on.
	HTTPListen, HTTPSListen string
	// Metrics counts requests.
	Metrics *Metrics
	// AccessLog gets a line per request; nil writes none.
	AccessLog *slog.Logger
	// Log is told of servers that are not who they should be.
	Log *slog.Logger
	// LogLevel is the least level of what Caddy itself logs.
	LogLevel slog.Level
	// RetryFor bounds how long a request waits for a backend that can be reached.
	RetryFor time.Duration
	// Stall ends uploads and downloads that stand still for so long; 0 takes a
	// minute.
	Stall time.Duration
	// Dial connects to a pod; nil dials TCP.
	Dial Dial

	connections connections
}

// Start listens. Both listeners accept when it returns.
func (f *Front) Start() error {
	config, err := f.config(f.register())
	if err != nil {
		return fmt.Errorf("make Caddy's configuration: %w", err)
	}
	if err := caddy.Load(config, true); err != nil {
		return fmt.Errorf("start Caddy: %w", err)
	}
	return nil
}

// Stop closes the listeners and waits until the requests under way are answered,
// or ctx ends; then it returns how many connections were left.
func (f *Front) Stop(ctx context.Context) (int, error) {
	// Caddy waits for requests only where it ends the process itself. Its grace
	// period goes on after this, and our count of connections tells its end.
	if err := caddy.Stop(); err != nil {
		return f.connections.open(), fmt.Errorf("stop Caddy: %w", err)
	}
	return f.connections.drain(ctx), nil
}
