package sftpd

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// idleConn ends a connection on which nothing has moved for a while. Until the
// sign-in is over, its one deadline stands, however much the peer sends.
type idleConn struct {
	net.Conn
	idle     time.Duration
	signedIn atomic.Bool
	moved    atomic.Int64 // when the deadline was last put off, in nanoseconds of Unix time
}

// enter says that the sign-in is over.
func (c *idleConn) enter() {
	_ = c.SetDeadline(time.Now().Add(c.idle))
	c.signedIn.Store(true)
}

func (c *idleConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.touch()
	return n, err
}

func (c *idleConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.touch()
	return n, err
}

// touch puts the deadline off, a few times a second at most: it is called for
// every packet.
func (c *idleConn) touch() {
	now := time.Now()
	if c.silence() < min(200*time.Millisecond, c.idle/10) {
		return
	}
	c.moved.Store(now.UnixNano())
	if c.signedIn.Load() {
		_ = c.SetDeadline(now.Add(c.idle))
	}
}

// silence is how long ago a byte moved.
func (c *idleConn) silence() time.Duration { return time.Since(time.Unix(0, c.moved.Load())) }

func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}
