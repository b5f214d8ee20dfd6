package proxy

import (
	"context"
	"net"
	"sync"
)

// connections counts the open connections of visitors, so that a stop knows when
// the last answer has left the process.
type connections struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n falls to 0; nil while nobody waits
}

func (c *connections) add(delta int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n += delta; c.n == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

func (c *connections) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// drain waits until no connection is open or ctx ends, and returns how many are
// left.
func (c *connections) drain(ctx context.Context) int {
	c.mu.Lock()
	if c.n == 0 {
		c.mu.Unlock()
		return 0
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	c.mu.Unlock()
	select {
	case <-idle:
		return 0
	case <-ctx.Done():
		return c.open()
	}
}

// counter is the listener wrapper that counts.
type counter struct {
	module
	connections *connections
}

// WrapListener returns a listener whose connections are counted.
func (c *counter) WrapListener(l net.Listener) net.Listener {
	return &countedListener{Listener: l, connections: c.connections}
}

type countedListener struct {
	net.Listener
	connections *connections
}

// Accept counts the connection.
func (l *countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.connections.add(1)
	return &countedConn{Conn: conn, connections: l.connections}, nil
}

type countedConn struct {
	net.Conn
	connections *connections
	once        sync.Once
}

// Close takes the connection out of the count.
func (c *countedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.connections.add(-1) })
	return err
}
