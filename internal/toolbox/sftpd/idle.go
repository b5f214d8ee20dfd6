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
	moved    atomic.Int64 // when the deadline was last put off
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

// touch puts the deadline off, at most once a second: it is called for every packet.
func (c *idleConn) touch() {
	if !c.signedIn.Load() {
		return
	}
	now := time.Now()
	if last := c.moved.Load(); now.UnixNano()-last > int64(time.Second) || c.idle < time.Minute {
		c.moved.Store(now.UnixNano())
		_ = c.SetDeadline(now.Add(c.idle))
	}
}

func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}
