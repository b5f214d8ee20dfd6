package lab

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestWithinReturnsAtOnceWhenContent(t *testing.T) {
	looks := 0
	err := within(t.Context(), time.Hour, func(context.Context) error {
		looks++
		return nil
	})
	if err != nil || looks != 1 {
		t.Errorf("within = %v after %d looks, want nil after 1", err, looks)
	}
}

func TestWithinTellsWhatItSawLast(t *testing.T) {
	seen := errors.New("2 of 3 sites are live")
	err := within(t.Context(), 10*time.Millisecond, func(ctx context.Context) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return seen
	})
	if !errors.Is(err, seen) {
		t.Errorf("within = %v, want %v", err, seen)
	}
}

func TestWithinEndsALookThatHangs(t *testing.T) {
	err := within(t.Context(), 10*time.Millisecond, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("within = %v, want the deadline", err)
	}
}
