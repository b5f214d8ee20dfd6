package store_test

import (
	"fmt"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Measurements become averages of their spans, of which old ones go; one replica at a
// time measures.
func TestSamples(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		db := open(t, address)
		begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		write := func(do func(hosting.Tx) error) {
			t.Helper()
			must(t, db.Write(t.Context(), do))
		}
		for minute := range int64(10) {
			write(func(tx hosting.Tx) error {
				by := map[string]hosting.Sample{}
				for i := range 700 { // more than one statement takes
					by[fmt.Sprintf("site-%d.example", i)] = hosting.Sample{At: begin.Add(time.Duration(minute) * time.Minute), Use: hosting.Use{CPU: 100 * minute, Memory: 7}, Storage: 9}
				}
				return tx.AddSamples(t.Context(), hosting.SpanDay, by)
			})
		}
		got, err := db.Samples(t.Context(), "site-699.example", hosting.SpanDay, begin)
		must(t, err)
		want := []hosting.Sample{{At: begin, Use: hosting.Use{CPU: 200, Memory: 7}, Storage: 9}, {At: begin.Add(5 * time.Minute), Use: hosting.Use{CPU: 700, Memory: 7}, Storage: 9}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("ten minutes became %v, want %v", got, want)
		}
		uses, err := db.LastUses(t.Context(), []string{"site-1.example", "site-699.example", "none.example"}, hosting.SpanDay, begin)
		if want := (hosting.Use{CPU: 700, Memory: 7}); err != nil || len(uses) != 2 || uses["site-1.example"] != want || uses["site-699.example"] != want {
			t.Errorf("LastUses = %v, %v; want %v of the two that there are", uses, err, want)
		}
		if uses, err := db.LastUses(t.Context(), []string{"site-1.example"}, hosting.SpanDay, begin.Add(time.Hour)); err != nil || len(uses) != 0 {
			t.Errorf("LastUses of an hour without measurements = %v, %v; want none", uses, err)
		}
		if last, err := db.LastSampled(t.Context()); err != nil || !last.Equal(begin.Add(5*time.Minute)) {
			t.Errorf("LastSampled = %s, %v", last, err)
		}
		write(func(tx hosting.Tx) error {
			return tx.DropSamples(t.Context(), hosting.SpanDay, begin.Add(hosting.SpanDay.Kept+time.Minute))
		})
		if left, err := db.Samples(t.Context(), "site-1.example", hosting.SpanDay, begin.Add(-time.Hour)); err != nil || len(left) != 1 {
			t.Errorf("%d samples are left (%v), want the younger one", len(left), err)
		}
		for _, turn := range []struct {
			holder string
			at     time.Duration
			want   bool
		}{{"a", 0, true}, {"b", time.Minute, false}, {"a", time.Minute, true}, {"b", 4 * time.Minute, true}, {"a", 4 * time.Minute, false}} {
			write(func(tx hosting.Tx) error {
				now := begin.Add(turn.at)
				if ours, err := tx.TakeTurn(t.Context(), turn.holder, now, now.Add(2*time.Minute)); err != nil || ours != turn.want {
					t.Errorf("the turn of %s after %s = %t, %v; want %t", turn.holder, turn.at, ours, err, turn.want)
				}
				return nil
			})
		}
	})
}

// What was not measured is no measurement of nothing: a site's new pod has none in its
// first minute.
func TestAverageIsOfWhatWasMeasured(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		db := open(t, address)
		begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		use := hosting.Use{CPU: 100, Memory: 8}
		for i, one := range []hosting.Sample{{Use: use, Storage: 9}, {Storage: 9}, {Use: use}, {}, 5: {Storage: 9}} {
			one.At = begin.Add(time.Duration(i) * time.Minute)
			must(t, db.Write(t.Context(), func(tx hosting.Tx) error {
				return tx.AddSamples(t.Context(), hosting.SpanDay, map[string]hosting.Sample{"shop.example": one})
			}))
		}
		got, err := db.Samples(t.Context(), "shop.example", hosting.SpanDay, begin)
		must(t, err)
		want := []hosting.Sample{{At: begin, Use: use, Storage: 9}, {At: begin.Add(5 * time.Minute), Storage: 9}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("averages are %v, want %v", got, want)
		}
		// The newest span has no measurement of it yet.
		if uses, err := db.LastUses(t.Context(), []string{"shop.example"}, hosting.SpanDay, begin); err != nil || uses["shop.example"] != use {
			t.Errorf("LastUses = %v, %v; want %v", uses, err, use)
		}
	})
}
