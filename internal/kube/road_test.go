package kube_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// road is a TCP connection to a server that can be cut and mended.
type road struct {
	t        *testing.T
	to       string
	listener net.Listener

	mu      sync.Mutex
	blocked bool
	used    []net.Conn
}

func newRoad(t *testing.T, server string) *road {
	t.Helper()
	target := server
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		target = u.Host
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &road{t: t, to: target, listener: listener}
	t.Cleanup(func() {
		listener.Close() // the test is over
		r.block()
	})
	go r.serve()
	return r
}

func (r *road) address() string { return r.listener.Addr().String() }

func (r *road) serve() {
	for {
		from, err := r.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", r.to)
		if err != nil || !r.use(from, to) {
			from.Close() // it leads nowhere
			continue
		}
		go carry(from, to)
		go carry(to, from)
	}
}

func (r *road) use(ends ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.blocked {
		r.used = append(r.used, ends...)
	}
	return !r.blocked
}

func carry(from, to net.Conn) {
	io.Copy(to, from) // ends when either side does
	to.Close()        // see above
}

// block cuts every connection and lets no new one through.
func (r *road) block() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocked = true
	for _, c := range r.used {
		c.Close() // it may have ended by itself
	}
	r.used = nil
}

func (r *road) open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocked = false
}
