package door

import (
	"context"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// lines are the connections to sites that orders share: one for each site, kept for a
// while after its last order.
type lines struct {
	dial func(ctx context.Context, site string) (*ssh.Client, error)

	mu   sync.Mutex
	open map[string]*line
}

// line is one of them, or the try to get one.
type line struct {
	ready  chan struct{} // closed when client or err is there
	client *ssh.Client
	err    error

	users int
	rest  *time.Timer // ends it when nobody has come
}

// take returns the connection with a site, which drop gives back. When it turned out
// broken the next one who comes gets another.
func (l *lines) take(ctx context.Context, site string) (client *ssh.Client, drop func(broken bool), err error) {
	l.mu.Lock()
	at := l.open[site]
	if at == nil {
		at = &line{ready: make(chan struct{})}
		l.open[site] = at
		// Others wait for it too, so it goes on when the first one leaves.
		go l.connect(context.WithoutCancel(ctx), site, at)
	}
	at.users++
	if at.rest != nil {
		at.rest.Stop()
	}
	l.mu.Unlock()
	select {
	case <-at.ready:
	case <-ctx.Done():
		l.drop(site, at, false)
		return nil, nil, ctx.Err()
	}
	if at.err != nil {
		l.drop(site, at, true)
		return nil, nil, at.err
	}
	return at.client, func(broken bool) { l.drop(site, at, broken) }, nil
}

func (l *lines) connect(ctx context.Context, site string, at *line) {
	at.client, at.err = l.dial(ctx, site)
	close(at.ready)
	if at.err == nil {
		_ = at.client.Wait() // its error is told to who uses it
	}
	l.forget(site, at)
}

func (l *lines) drop(site string, at *line, broken bool) {
	if broken {
		l.forget(site, at)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.users--; at.users > 0 {
		return
	}
	if l.open[site] != at {
		at.end()
		return
	}
	at.rest = time.AfterFunc(idleTime, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if at.users == 0 {
			at.end()
			if l.open[site] == at {
				delete(l.open, site)
			}
		}
	})
}

// end closes a connection, also one that is still to come.
func (at *line) end() {
	go func() {
		<-at.ready
		if at.client != nil {
			_ = at.client.Close()
		}
	}()
}

// forget has the next one who comes get another connection.
func (l *lines) forget(site string, at *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[site] == at {
		delete(l.open, site)
	}
}

func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.open {
		at.end()
	}
}
