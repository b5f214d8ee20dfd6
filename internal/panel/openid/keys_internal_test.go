package openid

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/store"
	"kubepanel.io/kubepanel/internal/store/postgrestest"
)

// start is when every test's time begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// panel is one of several on a database, at a time.
func panel(t *testing.T, db *store.DB, now *time.Time) *Provider {
	t.Helper()
	rules := &hosting.Provider{Store: db, Now: func() time.Time { return *now }}
	doors, err := auth.New(auth.Options{Provider: rules, URL: &url.URL{Scheme: "https", Host: "panel.example"}, Cost: auth.Cost{Memory: 64, Passes: 1, Threads: 1}})
	must(t, err)
	return New(Options{Rules: rules, Doors: doors, Log: slog.Default(), KeyBits: 2048})
}

func open(t *testing.T, address string, keys ...byte) *store.DB {
	t.Helper()
	o := store.Options{}
	for _, k := range keys {
		o.Keys = append(o.Keys, bytes.Repeat([]byte{k}, 32))
	}
	db, err := store.Open(t.Context(), address, o)
	must(t, err)
	t.Cleanup(db.Close)
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shown are the keys that applications see, by their IDs.
func (p *Provider) shown(t *testing.T) map[string]bool {
	t.Helper()
	w := httptest.NewRecorder()
	p.Before(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, pathKeys, nil))
	var set jose.JSONWebKeySet
	must(t, json.Unmarshal(w.Body.Bytes(), &set))
	ids := map[string]bool{}
	for _, k := range set.Keys {
		if !k.Valid() || !k.IsPublic() {
			t.Errorf("key %s is shown with its private half", k.KeyID)
		}
		ids[k.KeyID] = true
	}
	return ids
}

func (p *Provider) signer(t *testing.T) string {
	t.Helper()
	k, err := p.signs(t.Context())
	must(t, err)
	return k.KeyID
}

// A key is shown before it signs, and until the last that it signed has ended.
func TestKeysFollowEachOther(t *testing.T) {
	now := start
	p := panel(t, open(t, "sqlite:"+filepath.Join(t.TempDir(), "panel.db"), 1), &now)
	first := p.signer(t)
	at := func(since time.Duration, signs string, shows ...string) {
		t.Helper()
		now = start.Add(since)
		if got := p.signer(t); signs != "" && got != signs {
			t.Errorf("after %v %s signs, want %s", since, got, signs)
		}
		got := p.shown(t)
		for _, want := range shows {
			if !got[want] {
				t.Errorf("after %v %v are shown, want %s too", since, got, want)
			}
		}
		if len(shows) > 0 && len(got) != len(shows) {
			t.Errorf("after %v %v are shown, want %v", since, got, shows)
		}
	}
	at(0, first, first)
	at(keySigns-keyAhead, first, first)
	now = start.Add(keySigns - keyAhead + time.Second)
	second := ""
	for id := range p.shown(t) {
		if id != first {
			second = id
		}
	}
	at(keySigns-time.Second, first, first, second)
	at(keySigns, second, first, second)
	at(keySigns+tokenLife, second, first, second)
	at(keySigns+tokenLife+keySlack+time.Second, second, second)
	// A panel that nobody asked for long begins anew.
	now = start.Add(100 * keySigns)
	if got := p.signer(t); got == first || got == second || len(p.shown(t)) != 1 {
		t.Errorf("after years %s signs and %v are shown, want one new key", got, p.shown(t))
	}
	kept, err := p.store.SigningKeys(t.Context())
	must(t, err)
	if len(kept) != 1 {
		t.Errorf("%d keys are kept, want the one that is left", len(kept))
	}
}

// Panels that miss a key at the same moment make one together.
func TestSeveralPanelsHaveTheSameKeys(t *testing.T) {
	server, err := postgrestest.Start()
	must(t, err)
	t.Cleanup(server.Stop)
	address, err := server.Database(t.Context())
	must(t, err)
	now := start
	panels := make([]*Provider, 3)
	for i := range panels {
		panels[i] = panel(t, open(t, address, 1), &now)
	}
	for round, at := range []time.Duration{0, keySigns - time.Hour} { // the first key, and the next
		now = start.Add(at)
		signers := make([]string, len(panels))
		var all sync.WaitGroup
		for i, p := range panels {
			all.Go(func() { signers[i] = p.signer(t) })
		}
		all.Wait()
		for i, p := range panels {
			if signers[i] != signers[0] || len(p.shown(t)) != round+1 {
				t.Errorf("panel %d signs with %s and shows %d keys, want %s and %d", i, signers[i], len(p.shown(t)), signers[0], round+1)
			}
		}
	}
}

// Who has the database has no key, and the key that seals them can be another one.
func TestKeysAreSealedInTheDatabase(t *testing.T) {
	now, address := start, "sqlite:"+filepath.Join(t.TempDir(), "panel.db")
	signs := panel(t, open(t, address, 1), &now).signer(t)
	if _, err := panel(t, open(t, address, 2), &now).signs(context.Background()); err == nil {
		t.Error("a signing key opens with another key than the one that sealed it")
	}
	changed, err := open(t, address, 2, 1).Rotate(t.Context())
	must(t, err)
	if changed != 1 {
		t.Errorf("Rotate sealed %d values anew, want the signing key", changed)
	}
	if got := panel(t, open(t, address, 2), &now).signer(t); got != signs {
		t.Errorf("after that %s signs, want %s as before", got, signs)
	}
}
