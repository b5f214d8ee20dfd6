package sftpd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// loginTime is how long someone may take to prove who they are.
	loginTime = 30 * time.Second
	// maxSignIns bounds connections that have not signed in: each may cost a
	// bcrypt. A stranger who fills them only keeps out who comes at that moment.
	maxSignIns = 24
	// maxConnections is far more than one customer's clients open (FileZilla: 10)
	// and bounds memory: a transfer holds about 1 MB.
	maxConnections = 64
	// maxAuthTries leaves room for an agent that offers all its keys first.
	maxAuthTries = 8
	// drainTime is less than the pod's grace period of ten seconds.
	drainTime = 7 * time.Second
	// quietTime without a byte means that no transfer is under way.
	quietTime = 1500 * time.Millisecond
)

// Server is an SFTP server. Its fields are set once, before Serve.
type Server struct {
	// Root is the folder that clients see as "/".
	Root *os.Root
	// Account tells who may sign in; it is asked for every connection.
	Account func() (*Account, error)
	// HostKey proves the server's identity to clients.
	HostKey ssh.Signer
	// IdleTime is how long a signed-in client may be silent. Zero: 15 minutes.
	IdleTime time.Duration
	Log      *slog.Logger

	throttle throttle
	sessions sync.WaitGroup
	mu       sync.Mutex
	open     map[*idleConn]bool
}

// Serve accepts connections until ctx ends, then lets transfers finish for a
// few seconds. It closes the listener.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	if s.IdleTime == 0 {
		s.IdleTime = 15 * time.Minute
	}
	s.open = map[*idleConn]bool{}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	signIns := make(chan struct{}, maxSignIns)
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			s.drain()
			return nil
		}
		if err != nil {
			if !retryAccept(ctx, err) {
				return fmt.Errorf("accept connections: %w", err)
			}
			continue
		}
		select {
		case signIns <- struct{}{}:
			s.sessions.Go(func() { s.connection(ctx, conn, func() { <-signIns }) })
		default:
			// Closing without a word costs nothing; clients try again.
			_ = conn.Close()
		}
	}
}

// retryAccept waits a moment when the process is out of file descriptors, which
// passes when a connection ends. Every other error is final.
func retryAccept(ctx context.Context, err error) bool {
	if !outOfFiles(err) {
		return false
	}
	select {
	case <-time.After(100 * time.Millisecond):
		return true
	case <-ctx.Done():
		return true
	}
}

// connection serves one TCP connection. signedIn gives its place among those
// who have not signed in yet back.
func (s *Server) connection(ctx context.Context, raw net.Conn, signedIn func()) {
	c := &idleConn{Conn: raw, idle: s.IdleTime}
	if !s.enter(c) {
		signedIn()
		_ = raw.Close()
		return
	}
	defer s.leave(c)
	_ = raw.SetDeadline(time.Now().Add(loginTime))
	conn, channels, requests, err := s.handshake(ctx, c)
	signedIn()
	if err != nil {
		s.Log.Info("sign-in refused", "remote", raw.RemoteAddr().String(), "cause", err.Error())
		return
	}
	c.enter()
	newSession(s, conn).run(channels, requests)
}

func (s *Server) handshake(ctx context.Context, c net.Conn) (*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request, error) {
	account, err := s.Account()
	if err != nil {
		return nil, nil, nil, err
	}
	config, err := s.config(ctx, account, c.RemoteAddr())
	if err != nil {
		return nil, nil, nil, err
	}
	return ssh.NewServerConn(c, config)
}

func (s *Server) enter(c *idleConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxConnections {
		return false
	}
	s.open[c] = true
	return true
}

func (s *Server) leave(c *idleConn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// drain lets transfers finish, for a while, and then cuts off what is left. A
// client that only sits there has nothing to lose and is not waited for.
func (s *Server) drain() {
	done := make(chan struct{})
	go func() {
		s.sessions.Wait()
		close(done)
	}()
	last := time.After(drainTime)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-done:
			return
		case <-last:
			s.cut(func(*idleConn) bool { return true })
		case <-look.C:
			s.cut(func(c *idleConn) bool { return c.silence() > quietTime })
		}
	}
}

// cut closes those connections.
func (s *Server) cut(which func(*idleConn) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if which(c) {
			_ = c.Close()
		}
	}
}
