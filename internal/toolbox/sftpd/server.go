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
	open     map[net.Conn]bool
}

// Serve accepts connections until ctx ends, then lets transfers finish for a
// few seconds. It closes the listener.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	if s.IdleTime == 0 {
		s.IdleTime = 15 * time.Minute
	}
	s.open = map[net.Conn]bool{}
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
	if !s.enter(raw) {
		signedIn()
		_ = raw.Close()
		return
	}
	defer s.leave(raw)
	_ = raw.SetDeadline(time.Now().Add(loginTime))
	idle := &idleConn{Conn: raw, idle: s.IdleTime}
	conn, channels, requests, err := s.handshake(ctx, idle)
	signedIn()
	if err != nil {
		s.Log.Info("sign-in refused", "remote", raw.RemoteAddr().String(), "cause", err.Error())
		return
	}
	idle.enter()
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

func (s *Server) enter(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxConnections {
		return false
	}
	s.open[c] = true
	return true
}

func (s *Server) leave(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// drain waits for transfers, then cuts off what is left.
func (s *Server) drain() {
	done := make(chan struct{})
	go func() {
		s.sessions.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-time.After(s.drainTime()):
	}
	s.mu.Lock()
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	<-done
}

// drainTime is nothing when nobody moves a byte: an idle client has nothing to lose.
func (s *Server) drainTime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		return 0
	}
	return drainTime
}
