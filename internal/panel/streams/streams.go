// Package streams bounds answers that go on for as long as somebody listens, such as a
// log that is followed: how many there are at once, for how long, and how often it is
// asked whether whoever listens still may, which is asked of transfers too. It must never
// hold what is sent.
package streams

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Bounds of an answer that goes on.
const (
	// Longest is how long one may go on; whoever wants more asks again.
	Longest = 30 * time.Minute
	// askAgain is how often it is asked whether somebody still may have it.
	askAgain = 10 * time.Second
	// SendTimeout ends one whose listener takes nothing more.
	SendTimeout = 20 * time.Second

	// ofOne and ofAll are how many may go on at once, for an account and together.
	ofOne = 4
	ofAll = 200
)

// Places counts answers that go on. Its zero value has all places free.
type Places struct {
	mu  sync.Mutex
	of  map[hosting.ID]int
	all int
}

// Take takes a place for an account, which give gives back. It returns Limited when
// there is none.
func (p *Places) Take(id hosting.ID) (give func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of[id] >= ofOne || p.all >= ofAll {
		return nil, &hosting.Error{Code: hosting.Limited, Message: "Too many logs are followed at once.", Mend: "Close another page that follows one."}
	}
	if p.of == nil {
		p.of = map[hosting.ID]int{}
	}
	p.of[id]++
	p.all++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all--
		if p.of[id]--; p.of[id] == 0 {
			delete(p.of, id)
		}
	}, nil
}

// WatchOver ends an answer by stop as soon as it may not go on: because who gets it may
// not have it any more, or is not there. It asks every so often, zero for as often as
// usual, and returns when ctx has ended.
func WatchOver(ctx context.Context, stop func(), every time.Duration, goesOn func() bool) {
	tick := time.NewTicker(cmp.Or(every, askAgain))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !goesOn() {
			stop()
			return
		}
	}
}

// While returns a context that ends as soon as a transfer may not go on (WatchOver). done
// ends it too, and returns when nobody asks any more.
func While(ctx context.Context, every time.Duration, goesOn func(context.Context) bool) (transfer context.Context, done func()) {
	transfer, end := context.WithCancelCause(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		WatchOver(transfer, func() {
			end(&hosting.Error{Code: hosting.SignIn, Message: "This may not go on: a sign-in or a token has ended, or a right is gone.", Mend: "Sign in and try again."})
		}, every, func() bool { return goesOn(transfer) })
	}()
	return transfer, func() {
		end(nil)
		<-over
	}
}

// Why returns the reason for which While ended a transfer that failed, and err where there
// was none.
func Why(transfer context.Context, err error) error {
	if why := context.Cause(transfer); err != nil && !errors.Is(why, transfer.Err()) {
		return why
	}
	return err
}
