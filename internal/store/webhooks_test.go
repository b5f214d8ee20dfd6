package store_test

import (
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Of one account's messages few are taken at once, so that others have their turn.
func TestMessagesThatAreDueAreTakenByTurns(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		h := newHouse(t, address)
		jo := h.user(t, h.boss, "jo@shop.example", hosting.Customer, h.pack(t, h.boss, "Any", nil))
		url, events := "https://hooks.example/panel", []string{"none.*"}
		hook := func(a hosting.Actor) hosting.ID {
			w, err := h.CreateWebhook(t.Context(), a, hosting.NewWebhook{Name: new("Hook"), URL: &url, Events: &events})
			must(t, err)
			return w.ID
		}
		many, one := hook(h.boss), hook(jo)
		for range 30 {
			_, err := h.TestWebhook(t.Context(), h.boss, many)
			must(t, err)
		}
		_, err := h.TestWebhook(t.Context(), jo, one)
		must(t, err)
		taken := map[hosting.ID]int{}
		for range 2 {
			parcels, err := h.Parcels(t.Context())
			must(t, err)
			for _, p := range parcels {
				taken[p.Delivery.Webhook]++
			}
		}
		if taken[many] != 10 || taken[one] != 1 {
			t.Errorf("in two turns %d of thirty and %d of one were taken, want 10 and 1", taken[many], taken[one])
		}
	})
}
