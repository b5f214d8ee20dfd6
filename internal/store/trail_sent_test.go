package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Of many panels one gets what is to be sent; each server has its own place, and pauses
// grow.
func TestABatchIsTakenByOne(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		ahead := time.Duration(0)
		h.Now = func() time.Time { return time.Now().Add(ahead) }
		for i := range 3 {
			h.pack(t, h.boss, fmt.Sprint("pack ", i), hosting.Quota{})
		}
		const server = "logs.example:6514"
		take := func(of string) *hosting.Batch {
			t.Helper()
			b, err := h.NextBatch(t.Context(), of)
			must(t, err)
			return b
		}
		var got atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				b, err := h.NextBatch(t.Context(), server)
				if err != nil {
					t.Error(err)
				}
				if b != nil {
					got.Add(1)
				}
			})
		}
		all.Wait()
		if got.Load() != 1 {
			t.Fatalf("%d panels got the batch, want 1", got.Load())
		}
		if b := take("other.example:6514"); b == nil || len(b.Entries) != 3 {
			t.Errorf("NextBatch for another server = %+v, want all entries", b)
		}
		ahead += 2 * time.Minute // who took it is dead
		var pauses []time.Duration
		for range 9 {
			b := take(server)
			if b == nil {
				t.Fatal("nothing is due after the pause")
			}
			must(t, h.BatchSent(t.Context(), b, hosting.FaultUnreachable))
			s, err := h.Store.Sending(t.Context(), server)
			must(t, err)
			pauses = append(pauses, s.NextAt.Sub(h.Now()).Round(time.Second))
			if take(server) != nil {
				t.Fatal("a batch is due within the pause")
			}
			ahead += s.NextAt.Sub(h.Now()) + time.Second
		}
		if want := "[5s 10s 20s 40s 1m20s 2m40s 5m0s 5m0s 5m0s]"; fmt.Sprint(pauses) != want {
			t.Errorf("pauses = %s, want %s", fmt.Sprint(pauses), want)
		}
		must(t, h.BatchSent(t.Context(), take(server), ""))
		if b := take(server); b != nil {
			t.Errorf("NextBatch when all is confirmed = %+v, want none", b)
		}
		state, err := hosting.SendingOf(t.Context(), h.Store, server)
		must(t, err)
		if state.Seq != 3 || state.Waiting != 0 || state.Tries != 0 || state.Fault != "" {
			t.Errorf("state = %+v, want all confirmed", state)
		}
	})
}
