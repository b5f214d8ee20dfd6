package door

import (
	"context"
	"sync"
)

// turns bounds how many do something at once, by a name.
type turns struct {
	most int

	mu    sync.Mutex
	names map[string]*queue
}

// queue is who has a turn, and who waits for one too.
type queue struct {
	places chan struct{}
	users  int
}

func newTurns(most int) *turns { return &turns{most: most, names: map[string]*queue{}} }

// enter waits for a turn until ctx ends, and returns what ends it.
func (t *turns) enter(ctx context.Context, name string) (leave func(), ok bool) {
	t.mu.Lock()
	q := t.names[name]
	if q == nil {
		q = &queue{places: make(chan struct{}, t.most)}
		t.names[name] = q
	}
	q.users++
	t.mu.Unlock()
	select {
	case q.places <- struct{}{}:
		return func() { <-q.places; t.forget(name, q) }, true
	default:
	}
	select {
	case q.places <- struct{}{}:
		return func() { <-q.places; t.forget(name, q) }, true
	case <-ctx.Done():
		t.forget(name, q)
		return nil, false
	}
}

func (t *turns) forget(name string, q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(t.names, name)
	}
}
