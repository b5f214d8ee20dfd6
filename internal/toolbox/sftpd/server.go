package sftpd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/sshd"
)

// maxAuthTries leaves room for an agent that offers all its keys first.
const maxAuthTries = 8

// limits of one site's server.
func limits() sshd.Limits {
	return sshd.Limits{
		// Far more than one customer's clients open (FileZilla: 10). It bounds memory:
		// a transfer holds about 1 MB.
		Connections: 64,
		// Each may cost a bcrypt. A stranger who fills these places only keeps out who
		// comes at that moment.
		SignIns: 24,
		SignIn:  30 * time.Second,
		Idle:    15 * time.Minute,
		// Less than the pod's grace period of ten seconds.
		Drain: 7 * time.Second,
	}
}

// Server is an SFTP server. Its fields are set once, before Serve.
type Server struct {
	// Root is the folder that clients see as "/".
	Root *os.Root
	// Account tells who may sign in; it is asked for every connection.
	Account func() (*Account, error)
	// SignedIn, when set, is called for everybody who has signed in, before anything
	// is served.
	SignedIn func()
	// HostKey proves the server's identity to clients.
	HostKey ssh.Signer
	// IdleTime is how long a signed-in client may be silent. Zero: 15 minutes.
	IdleTime time.Duration
	// Programs runs programs in a channel; nil explains that there are none.
	Programs func(ssh.Channel) Program
	// Subsystems beside SFTP, by name. Each serves a channel, which is closed after it.
	Subsystems map[string]func(ssh.Channel)
	Log        *slog.Logger

	throttle sshd.Throttle
}

// Serve accepts connections until ctx ends, then lets transfers finish for a
// few seconds. It closes the listener.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	// Guesses never take more than one core.
	s.throttle.AtOnce = 1
	acceptor := &sshd.Acceptor{Limits: limits(), Handle: s.connection}
	if s.IdleTime > 0 {
		acceptor.Limits.Idle = s.IdleTime
	}
	return acceptor.Serve(ctx, listener)
}

// connection serves one TCP connection.
func (s *Server) connection(ctx context.Context, c *sshd.Conn) {
	conn, channels, requests, err := s.handshake(ctx, c)
	if errors.Is(err, sshd.ErrLeft) {
		return // a probe, or a scan
	}
	if err != nil {
		s.Log.Info("sign-in refused", "remote", c.RemoteAddr().String(), "cause", err.Error())
		return
	}
	c.SignedIn()
	if s.SignedIn != nil {
		s.SignedIn()
	}
	newSession(s, conn).run(channels, requests)
}

func (s *Server) handshake(ctx context.Context, c *sshd.Conn) (*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request, error) {
	account, err := s.Account()
	if err != nil {
		return nil, nil, nil, err
	}
	config, err := s.config(ctx, account, c.RemoteAddr())
	if err != nil {
		return nil, nil, nil, err
	}
	return sshd.Handshake(c, config)
}
