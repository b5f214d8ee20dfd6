package domain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

const (
	// greetEvery finds out that the gateway went or came, by one connection for the
	// whole platform: often enough for gatewayPatience.
	greetEvery = 10 * time.Second
	// greetTimeout is generous for a line within one cluster.
	greetTimeout = 3 * time.Second
	// gatewayPatience is longer than a new gateway takes to replace an old one: sites
	// that were well stay so meanwhile.
	gatewayPatience = 20 * time.Second
)

// Gateway is the platform's way in for SSH, as all Domains share it.
type Gateway struct {
	// Address is where its Service answers, host and port.
	Address string
	// Changed is told when it goes for long, and when it comes.
	Changed chan event.GenericEvent

	mu    sync.Mutex
	asked bool
	down  error
	since time.Time // when it was first found down
	gone  bool      // for longer than a restart takes
}

func newGateway(settings *platform.Settings, address string) *Gateway {
	if address == "" {
		address = "kubepanel-gateway." + settings.Namespace + ".svc:22"
	}
	return &Gateway{Address: address, Changed: make(chan event.GenericEvent)}
}

// Start watches over the gateway until ctx ends. It implements manager.Runnable.
func (g *Gateway) Start(ctx context.Context) error {
	watchOver(ctx, greetEvery, g.ask, g.Changed)
	return nil
}

// watchOver asks for something that all sites share at once and then every so often,
// and has all Domains looked at when the answer is another, until ctx ends.
func watchOver(ctx context.Context, every time.Duration, ask func(context.Context) (changed bool), changed chan<- event.GenericEvent) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ask(ctx) {
			select {
			case changed <- event.GenericEvent{Object: &v1alpha1.Domain{}}:
			case <-ctx.Done():
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Down tells whether nobody has come in for longer than a restart takes, and why
// nobody can now; nil when they can.
func (g *Gateway) Down(ctx context.Context) (long bool, cause error) {
	g.mu.Lock()
	asked := g.asked
	g.mu.Unlock()
	if !asked {
		g.ask(ctx)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.asked { // the program ends before there was an answer
		return false, ctx.Err()
	}
	return g.gone, g.down
}

// ask greets the gateway, and tells whether sites have to hear of the answer.
func (g *Gateway) ask(ctx context.Context) (changed bool) {
	now := time.Now()
	err := greet(ctx, g.Address)
	if ctx.Err() != nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.down == nil {
		g.since = now
	}
	gone := err != nil && now.Sub(g.since) >= gatewayPatience
	changed = g.asked && (gone && !g.gone || g.down != nil && err == nil)
	g.asked, g.down, g.gone = true, err, gone
	return changed
}

// greet looks whether somebody at an address speaks SSH. It says its own version
// first, since a gateway that expects proxies waits for who comes to speak.
func greet(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{Timeout: greetTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing is left to lose
	_ = conn.SetDeadline(time.Now().Add(greetTimeout))
	if _, err := io.WriteString(conn, "SSH-2.0-kubepanel-operator\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(io.LimitReader(conn, 255)).ReadString('\n') // RFC 4253 section 4.2
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.HasPrefix(line, "SSH-2.0-") {
		return fmt.Errorf("%s does not speak SSH", address)
	}
	return nil
}
