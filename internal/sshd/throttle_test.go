package sshd

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoFailsWaitsLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var th Throttle
		attempt := func(address string, ok bool) time.Duration {
			begin := time.Now()
			done, err := th.Wait(context.Background(), address)
			if err != nil {
				t.Fatal(err)
			}
			done(ok)
			return time.Since(begin)
		}
		for i, want := range []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, lastDelay, lastDelay} {
			if got := attempt("a", false); got != want {
				t.Errorf("attempt %d waited %v, want %v", i, got, want)
			}
		}
		if got := attempt("b", false); got != 0 {
			t.Errorf("another address waited %v", got)
		}
		// The customer gets in while somebody guesses from the same address.
		if got := attempt("a", true); got != lastDelay {
			t.Errorf("the right password waited %v, want %v", got, lastDelay)
		}
		if got := attempt("a", true); got != 0 {
			t.Errorf("after the right password it waited %v", got)
		}
		attempt("c", false)
		time.Sleep(forgetAfter + time.Second)
		if got := attempt("c", false); got != 0 {
			t.Errorf("an old failure still counts: waited %v", got)
		}
	})
}

func TestTheListOfFailuresIsBounded(t *testing.T) {
	var th Throttle
	for i := range 3 * maxAddresses {
		th.record(fmt.Sprint(i), false)
	}
	if len(th.failures) > maxAddresses {
		t.Errorf("%d addresses are kept, want at most %d", len(th.failures), maxAddresses)
	}
}
