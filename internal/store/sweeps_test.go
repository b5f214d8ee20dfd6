package store_test

import (
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Who waited longest is due first, nobody whom somebody looks through, and what was found
// goes with its site.
func TestSweepsAndFindings(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Any", nil))
		for _, site := range []string{"a.example", "b.example", "c.example", "d.example"} {
			h.site(t, jo, site)
		}
		ctx, now := t.Context(), time.Now().Truncate(time.Microsecond).UTC()
		finding := hosting.Finding{ID: hosting.NewID(), Site: "a.example", Path: []byte("/bad\xff\x01"), Found: "Bad.Test", Sum: "beef", Mode: 0o644,
			State: hosting.FindingQuarantined, FoundAt: now, Until: now.Add(time.Hour)}
		finding.Mark.Inode, finding.Mark.Changed, finding.Mark.Size = 1<<63+1, now.UnixNano(), 1<<40
		must(t, h.Store.Write(ctx, func(tx hosting.Tx) error {
			for site, s := range map[string]hosting.SiteSweep{
				"a.example": {NextAt: now.Add(-time.Minute)}, "b.example": {NextAt: now.Add(-time.Hour), Holder: "x", Leased: now.Add(time.Minute)},
				"c.example": {NextAt: now.Add(time.Minute), After: []byte("html/\xff")},
			} {
				s.Site = site
				if err := tx.PutSweep(ctx, &s); err != nil {
					return err
				}
			}
			return tx.InsertFinding(ctx, &finding)
		}))
		due, err := h.Store.DueSweeps(ctx, now, 10)
		must(t, err)
		if len(due) != 2 || due[0] != "d.example" || due[1] != "a.example" {
			t.Errorf("DueSweeps = %q, want the one that was never looked at, then a.example", due)
		}
		if n, err := h.Store.Sweeping(ctx, now); err != nil || n != 1 {
			t.Errorf("Sweeping = %d, %v, want 1", n, err)
		}
		if n, err := h.Store.SweepsBehind(ctx, now.Add(-30*time.Minute)); err != nil || n != 1 {
			t.Errorf("SweepsBehind = %d, %v, want b.example alone", n, err)
		}
		if s, err := h.Store.SiteSweep(ctx, "c.example"); err != nil || string(s.After) != "html/\xff" || !s.NextAt.Equal(now.Add(time.Minute)) {
			t.Errorf("SiteSweep = %+v, %v", s, err)
		}
		if f, err := h.Store.Finding(ctx, "a.example", finding.ID); err != nil || string(f.Path) != string(finding.Path) || f.Mark != finding.Mark || !f.Until.Equal(finding.Until) {
			t.Errorf("Finding = %+v, %v, want %+v", f, err, finding)
		}
		_, err = h.Store.Finding(ctx, "b.example", finding.ID)
		wantCode(t, "Finding of another site", err, hosting.NotFound)
		if by, err := h.Store.CountFindings(ctx, []string{"a.example", "b.example"}); err != nil || len(by) != 1 || by["a.example"] != 1 {
			t.Errorf("CountFindings = %v, %v", by, err)
		}
		finding.State = hosting.FindingRestored
		must(t, h.Store.Write(ctx, func(tx hosting.Tx) error { return tx.UpdateFinding(ctx, &finding) }))
		for site, want := range map[string]bool{"a.example": true, "b.example": false} {
			if exempt, err := h.Store.Exempt(ctx, site, "beef"); err != nil || exempt != want {
				t.Errorf("Exempt in %s = %t, %v", site, exempt, err)
			}
		}
		must(t, h.Store.Write(ctx, func(tx hosting.Tx) error { return tx.ExpireFindings(ctx, "a.example", now.Add(2*time.Hour)) }))
		if all, err := h.Store.Findings(ctx, hosting.FindingQuery{Site: "a.example", Limit: 10}); err != nil || len(all) != 1 {
			t.Errorf("Findings = %v, %v, want that what was restored stays", all, err)
		}
		must(t, h.Store.Write(ctx, func(tx hosting.Tx) error { return tx.DeleteSite(ctx, "a.example") }))
		if all, err := h.Store.Findings(ctx, hosting.FindingQuery{Site: "a.example", Limit: 10}); err != nil || len(all) != 0 {
			t.Errorf("Findings of a site that is gone = %v, %v", all, err)
		}
	})
}
