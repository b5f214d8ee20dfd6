package sshd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// quietTime without a byte means that no transfer is under way.
const quietTime = 1500 * time.Millisecond

// Limits bound what strangers and customers may take.
type Limits struct {
	// Connections at the same time, in all.
	Connections int
	// SignIns is how many of them may not have signed in yet, and SignInsOfOne how
	// many from one address; zero bounds the latter not.
	SignIns, SignInsOfOne int
	// SignIn is how long someone may take to prove who they are, Idle how long a
	// signed-in client may be silent, Drain how long transfers get to finish when
	// the server stops.
	SignIn, Idle, Drain time.Duration
}

// Acceptor accepts connections within limits. Its fields are set once, before
// Serve.
type Acceptor struct {
	Limits Limits
	// Handle serves a connection until it ends, and calls its SignedIn when that is
	// so. The connection is closed afterwards.
	Handle func(ctx context.Context, conn *Conn)

	sessions sync.WaitGroup
	mu       sync.Mutex
	open     map[*Conn]bool
	signIns  map[string]int
}

// Serve accepts connections until ctx ends, then lets transfers finish for a
// while. It closes the listener.
func (a *Acceptor) Serve(ctx context.Context, listener net.Listener) error {
	a.open, a.signIns = map[*Conn]bool{}, map[string]int{}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	places := make(chan struct{}, a.Limits.SignIns)
	for {
		raw, err := listener.Accept()
		if ctx.Err() != nil {
			a.drain()
			return nil
		}
		if err != nil {
			if !retryAccept(ctx, err) {
				return fmt.Errorf("accept connections: %w", err)
			}
			continue
		}
		select {
		case places <- struct{}{}:
			a.sessions.Go(func() { a.connection(ctx, raw, func() { <-places }) })
		default:
			// Closing without a word costs nothing; clients try again.
			_ = raw.Close()
		}
	}
}

// retryAccept waits a moment when the process is out of file descriptors, which
// passes when a connection ends. Every other error is final.
func retryAccept(ctx context.Context, err error) bool {
	if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) && !errors.Is(err, syscall.ENOMEM) {
		return false
	}
	select {
	case <-time.After(100 * time.Millisecond):
		return true
	case <-ctx.Done():
		return true
	}
}

func (a *Acceptor) connection(ctx context.Context, raw net.Conn, leave func()) {
	end := time.Now().Add(a.Limits.SignIn)
	_ = raw.SetDeadline(end)
	// Not in the loop: behind a proxy the address is the first thing to be read.
	from := Host(raw.RemoteAddr())
	c := &Conn{Conn: raw, signInEnd: end, idle: a.Limits.Idle, leave: func() { leave(); a.signedIn(from) }}
	defer c.once.Do(c.leave)
	defer func() { _ = raw.Close() }()
	if !a.enter(c, from) {
		return
	}
	defer a.forget(c)
	a.Handle(ctx, c)
}

// enter counts a connection, unless there are too many.
func (a *Acceptor) enter(c *Conn, from string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.signIns[from]++
	if most := a.Limits.SignInsOfOne; most > 0 && a.signIns[from] > most || len(a.open) >= a.Limits.Connections {
		return false
	}
	a.open[c] = true
	return true
}

func (a *Acceptor) signedIn(from string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.signIns[from]--; a.signIns[from] <= 0 {
		delete(a.signIns, from)
	}
}

func (a *Acceptor) forget(c *Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, c)
}

// drain lets transfers finish, for a while, and then cuts off what is left. A
// client that only sits there has nothing to lose and is not waited for.
func (a *Acceptor) drain() {
	done := make(chan struct{})
	go func() {
		a.sessions.Wait()
		close(done)
	}()
	last := time.After(a.Limits.Drain)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-done:
			return
		case <-last:
			a.cut(func(*Conn) bool { return true })
		case <-look.C:
			a.cut(func(c *Conn) bool { return c.silence() > quietTime })
		}
	}
}

// cut closes those connections.
func (a *Acceptor) cut(which func(*Conn) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.open {
		if which(c) {
			_ = c.Close()
		}
	}
}
