package store_test

import (
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// What an account knows of browsers, and the codes that were mailed to it, are its own and
// end by themselves.
func TestBrowsersAndMailedCodes(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		ctx, jo := t.Context(), h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Any", nil)).ID
		browser := func(id string, used time.Time) *hosting.Browser {
			return &hosting.Browser{ID: id, User: jo, Address: "192.0.2.7", Agent: "Firefox", CreatedAt: clock, UsedAt: used, ExpiresAt: used.Add(time.Hour)}
		}
		code := hosting.MailedCode{ID: "m1", User: jo, Hash: "hash", SentAt: clock, ExpiresAt: clock.Add(time.Minute)}
		write := func(do func(tx hosting.Tx) error) error { t.Helper(); return h.Store.Write(ctx, do) }
		must(t, write(func(tx hosting.Tx) error {
			for i, id := range []string{"b1", "b2", "b3"} {
				if err := tx.InsertBrowser(ctx, browser(id, clock.Add(time.Duration(i)*time.Hour))); err != nil {
					return err
				}
			}
			return tx.InsertMailedCode(ctx, &code)
		}))
		names := func() (all string) {
			found, err := h.Store.Browsers(ctx, jo)
			must(t, err)
			for _, b := range found {
				all += b.ID
			}
			return all
		}
		if got := names(); got != "b3b2b1" {
			t.Errorf("Browsers = %s, want the one that was used last first", got)
		}
		b := browser("b1", clock.Add(9*time.Hour))
		b.Agent = "Chrome"
		must(t, write(func(tx hosting.Tx) error { return tx.UpdateBrowser(ctx, b) }))
		if got, err := h.Store.Browser(ctx, "b1"); err != nil || got.Agent != "Chrome" || !got.UsedAt.Equal(b.UsedAt) || !got.CreatedAt.Equal(clock) {
			t.Errorf("Browser = %+v, %v, want how it was used last", got, err)
		}
		wantCode(t, "DeleteBrowser(another's)", write(func(tx hosting.Tx) error { return tx.DeleteBrowser(ctx, h.boss.ID, "b1") }), hosting.NotFound)
		must(t, write(func(tx hosting.Tx) error { return tx.DeleteBrowser(ctx, jo, "b2") }))
		wantCode(t, "UpdateBrowser(forgotten)", write(func(tx hosting.Tx) error { return tx.UpdateBrowser(ctx, browser("b2", clock)) }), hosting.NotFound)
		must(t, write(func(tx hosting.Tx) error { return tx.Sweep(ctx, clock.Add(4*time.Hour)) }))
		if got := names(); got != "b1" {
			t.Errorf("Browsers after a sweep = %s, want those that have not ended", got)
		}
		_, err := h.Store.MailedCode(ctx, "m1")
		wantCode(t, "MailedCode(swept)", err, hosting.NotFound)
		wantCode(t, "UpdateMailedCode(swept)", write(func(tx hosting.Tx) error { return tx.UpdateMailedCode(ctx, &code) }), hosting.NotFound)
		must(t, write(func(tx hosting.Tx) error { return tx.InsertBrowser(ctx, browser("b4", clock)) }))
		must(t, write(func(tx hosting.Tx) error { return tx.DeleteBrowsers(ctx, jo, "b1") }))
		if got := names(); got != "b1" {
			t.Errorf("Browsers = %s, want the one to keep", got)
		}
		must(t, write(func(tx hosting.Tx) error { return tx.InsertMailedCode(ctx, &code) }))
		must(t, h.DeleteUser(ctx, h.boss, jo))
		if _, err := h.Store.MailedCode(ctx, "m1"); names() != "" || hosting.CodeOf(err) != hosting.NotFound {
			t.Errorf("a deleted account left %s and a code: %v", names(), err)
		}
	})
}
