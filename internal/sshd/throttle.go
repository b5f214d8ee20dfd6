package sshd

import (
	"context"
	"sync"
	"time"
)

const (
	// firstDelay doubles with each failure up to lastDelay. It is a wait, not a
	// ban: behind a NodePort all clients may have one address, and the customer
	// must get in while somebody guesses.
	firstDelay = 250 * time.Millisecond
	lastDelay  = 4 * time.Second
	// forgetAfter is how long a failure counts.
	forgetAfter = 10 * time.Minute
	// maxAddresses bounds memory; when it is full, the oldest go.
	maxAddresses = 4096
)

// Throttle slows down addresses, or accounts, that failed to sign in. The zero
// value works.
type Throttle struct {
	// AtOnce is how many passwords may be checked at the same time; zero does not
	// bound it. It is set before use.
	AtOnce int

	mu       sync.Mutex
	failures map[string]failure
	checks   chan struct{}
}

type failure struct {
	count int
	last  time.Time
}

// Wait returns when the address may have a password checked. The caller tells
// the outcome by done.
func (t *Throttle) Wait(ctx context.Context, address string) (done func(ok bool), err error) {
	pause, checks := t.next(address)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if checks == nil {
		return func(ok bool) { t.record(address, ok) }, nil
	}
	select {
	case checks <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return func(ok bool) {
		<-checks
		t.record(address, ok)
	}, nil
}

func (t *Throttle) next(address string) (time.Duration, chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.checks == nil && t.AtOnce > 0 {
		t.checks = make(chan struct{}, t.AtOnce)
	}
	f, ok := t.failures[address]
	if !ok || time.Since(f.last) > forgetAfter {
		return 0, t.checks
	}
	return delay(f.count), t.checks
}

// delay is how long the attempt after so many failures waits.
func delay(failures int) time.Duration {
	if failures <= 0 {
		return 0
	}
	if failures > 10 {
		return lastDelay
	}
	return min(firstDelay<<(failures-1), lastDelay)
}

func (t *Throttle) record(address string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ok {
		delete(t.failures, address)
		return
	}
	if t.failures == nil {
		t.failures = map[string]failure{}
	}
	f := t.failures[address]
	if time.Since(f.last) > forgetAfter {
		f.count = 0
	}
	t.failures[address] = failure{count: f.count + 1, last: time.Now()}
	if len(t.failures) > maxAddresses {
		t.forget()
	}
}

// forget drops what no longer counts, or everything when all of it does.
func (t *Throttle) forget() {
	for address, f := range t.failures {
		if time.Since(f.last) > forgetAfter {
			delete(t.failures, address)
		}
	}
	if len(t.failures) > maxAddresses {
		clear(t.failures)
	}
}
