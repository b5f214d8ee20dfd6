package sshd

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is a connection that ends when nothing has moved on it for a while. Until
// the sign-in is over, its one deadline stands, however much the peer sends.
type Conn struct {
	net.Conn
	// signInEnd is when the sign-in has to be over.
	signInEnd time.Time
	idle      time.Duration
	signedIn  atomic.Bool
	moved     atomic.Int64 // when the deadline was last put off, in nanoseconds of Unix time
	leave     func()       // gives the place among those who sign in back
	once      sync.Once
}

// SignedIn says that the sign-in is over.
func (c *Conn) SignedIn() {
	c.once.Do(c.leave)
	_ = c.SetDeadline(time.Now().Add(c.idle))
	c.signedIn.Store(true)
}

func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.touch()
	return n, err
}

func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.touch()
	return n, err
}

// touch puts the deadline off, a few times a second at most: it is called for
// every packet.
func (c *Conn) touch() {
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
func (c *Conn) silence() time.Duration { return time.Since(time.Unix(0, c.moved.Load())) }
