package lab

import (
	"context"
	"testing"
	"time"
)

// pollEvery is short beside what is waited for (seconds) and long beside what a
// look costs (milliseconds).
const pollEvery = 200 * time.Millisecond

// eventually looks again and again until look is content. What look said last
// is the failure's message, so it should tell what it saw.
func eventually(t testing.TB, what string, limit time.Duration, look func(context.Context) error) {
	t.Helper()
	started := time.Now()
	if err := within(t.Context(), limit, look); err != nil {
		t.Fatalf("%s: not after %s: %v", what, time.Since(started).Round(time.Second), err)
	}
}

// within is eventually for those who want the error. A look that hangs ends at
// the limit, since its context does.
func within(ctx context.Context, limit time.Duration, look func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var last error
	for {
		err := look(ctx)
		if err == nil {
			return nil
		}
		// The look that the deadline cut off says less than the one before it.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-tick.C:
		}
	}
}
