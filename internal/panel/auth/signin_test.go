package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

func TestFirstLinkMakesOneAdministrator(t *testing.T) {
	s := newSite(t)
	old, err := s.FirstLink(t.Context())
	must(t, err)
	token, err := s.FirstLink(t.Context())
	must(t, err)
	claim := func(token string, form auth.NewAdministrator) error {
		return s.browser(t).in(t, func(ctx context.Context) error {
			_, err := s.ClaimFirst(ctx, token, form)
			return err
		})
	}
	good := auth.NewAdministrator{Email: "Boss@Provider.example", Name: "Boss", Password: password}
	wantCode(t, "ClaimFirst(replaced link)", claim(old, good), hosting.SignIn)
	wantCode(t, "ClaimFirst(guess)", claim("guess", good), hosting.SignIn)
	wantCode(t, "ClaimFirst(weak)", claim(token, auth.NewAdministrator{Email: "boss", Name: "", Password: "boss"}), hosting.Invalid)
	must(t, claim(token, good))
	wantCode(t, "ClaimFirst(again)", claim(token, good), hosting.SignIn)
	if again, err := s.FirstLink(t.Context()); err != nil || again != "" {
		t.Errorf("FirstLink with an administrator = %q, %v, want none", again, err)
	}
	b := s.browser(t)
	if stage, err := b.signIn(t, " boss@provider.example", password); err != nil || stage != auth.Done {
		t.Fatalf("SignIn = %s, %v, want %s", stage, err, auth.Done)
	}
	if who := b.who(t); who == nil || who.Role != hosting.Administrator || !who.Address.IsLoopback() {
		t.Errorf("ActorOf = %+v, want the administrator from a loopback address", who)
	}
}

func TestFirstLinkExpires(t *testing.T) {
	s := newSite(t)
	token, err := s.FirstLink(t.Context())
	must(t, err)
	s.pass(25 * time.Hour)
	err = s.browser(t).in(t, func(ctx context.Context) error {
		_, err := s.ClaimFirst(ctx, token, auth.NewAdministrator{Email: "boss@provider.example", Name: "Boss", Password: password})
		return err
	})
	wantCode(t, "ClaimFirst(a day later)", err, hosting.SignIn)
}

// Whatever a stranger writes into headers, and however many come at once.
func TestTriesAreLimited(t *testing.T) {
	s := newSite(t)
	s.administrator(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	limited := 0
	for i := range 30 {
		b := s.browser(t)
		b.header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))
		b.header.Set("X-Real-IP", fmt.Sprintf("203.0.113.%d", i))
		b.header.Set("Forwarded", fmt.Sprintf("for=203.0.113.%d", i))
		all.Go(func() {
			_, err := b.signIn(t, "boss@provider.example", "wrong")
			mu.Lock()
			defer mu.Unlock()
			if hosting.CodeOf(err) == hosting.Limited {
				limited++
			}
		})
	}
	all.Wait()
	if limited != 20 {
		t.Errorf("%d of 30 wrong passwords were refused unread, want 20", limited)
	}
	_, err := s.browser(t).signIn(t, "boss@provider.example", password)
	wantCode(t, "SignIn(right password, too many tries)", err, hosting.Limited)
	for i := range 60 {
		if _, err = s.browser(t).signIn(t, fmt.Sprintf("nobody%d@x.example", i), "wrong"); hosting.CodeOf(err) == hosting.Limited {
			break
		}
	}
	wantCode(t, "SignIn(ever another account)", err, hosting.Limited)
	s.pass(16 * time.Minute)
	if _, err := s.browser(t).signIn(t, "boss@provider.example", password); err != nil {
		t.Errorf("SignIn a quarter of an hour later = %v", err)
	}
}

func TestUnknownAccountsAnswerLikeKnownOnes(t *testing.T) {
	s := newSite(t)
	s.administrator(t)
	_, known := s.browser(t).signIn(t, "boss@provider.example", "wrong")
	_, unknown := s.browser(t).signIn(t, "nobody@provider.example", "wrong")
	if known == nil || unknown == nil || known.Error() != unknown.Error() {
		t.Errorf("SignIn = %v and %v, want the same answer", known, unknown)
	}
}

func TestSessionsEnd(t *testing.T) {
	s := newSite(t)
	b := s.administrator(t)
	other := s.browser(t)
	_, err := other.signIn(t, "boss@provider.example", password)
	must(t, err)
	var sessions []auth.Session
	must(t, b.in(t, func(ctx context.Context) (err error) { sessions, err = s.Sessions(ctx); return err }))
	if len(sessions) != 2 {
		t.Fatalf("Sessions = %+v, want two", sessions)
	}
	for _, session := range sessions {
		if !session.Current {
			must(t, b.in(t, func(ctx context.Context) error { return s.EndSession(ctx, session.ID) }))
		}
	}
	if who := other.who(t); who != nil {
		t.Errorf("ActorOf(ended session) = %+v, want nobody", who)
	}
	if b.who(t) == nil {
		t.Error("the session that ended the other is gone too")
	}
	s.pass(11 * time.Hour)
	if b.who(t) == nil {
		t.Error("the session ended after eleven hours without use")
	}
	s.pass(11 * time.Hour)
	if b.who(t) == nil {
		t.Error("the session ended eleven hours after its last use")
	}
	s.pass(13 * time.Hour)
	if who := b.who(t); who != nil {
		t.Errorf("ActorOf(after half a day without use) = %+v, want nobody", who)
	}
}

// A request that runs while its session is ended must not bring it back.
func TestEndedSessionsStayEnded(t *testing.T) {
	s := newSite(t)
	b, other := s.administrator(t), s.browser(t)
	_, err := other.signIn(t, "boss@provider.example", password)
	must(t, err)
	must(t, other.in(t, func(ctx context.Context) error {
		must(t, b.in(t, func(ctx context.Context) error {
			return s.ChangePassword(ctx, password, "another horse battery staple")
		}))
		_, err := s.BeginPasskey(ctx) // writes into the session
		return err
	}))
	if who := other.who(t); who != nil {
		t.Errorf("ActorOf(session ended during a request) = %+v, want nobody", who)
	}
}

func TestSignInStartsANewSession(t *testing.T) {
	s := newSite(t)
	s.administrator(t)
	b := s.browser(t)
	must(t, b.in(t, func(ctx context.Context) error { _, err := s.BeginPasskey(ctx); return err })) // gets a cookie
	before := b.cookie(t)
	_, err := b.signIn(t, "boss@provider.example", password)
	must(t, err)
	if after := b.cookie(t); before.Value == after.Value || before.Value == "" {
		t.Errorf("the cookie before sign-in is %q and after it %q, want another", before.Value, after.Value)
	}
	thief := s.browser(t)
	thief.header.Set("Cookie", before.Name+"="+before.Value)
	if who := thief.who(t); who != nil {
		t.Errorf("ActorOf(cookie from before sign-in) = %+v, want nobody", who)
	}
}

func (b *browser) cookie(t *testing.T) *http.Cookie {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, panelURL, nil)
	must(t, err)
	for _, c := range b.client.Jar.Cookies(req.URL) {
		if strings.HasPrefix(c.Name, "__Host-") {
			return c
		}
	}
	return &http.Cookie{}
}

func TestSuspendedAccountsAreOut(t *testing.T) {
	s := newSite(t)
	b := s.administrator(t)
	u, err := s.store.UserByEmail(t.Context(), "boss@provider.example")
	must(t, err)
	u.Suspended = true
	must(t, s.store.Write(t.Context(), func(tx hosting.Tx) error { return tx.UpdateUser(t.Context(), u) }))
	if who := b.who(t); who != nil {
		t.Errorf("ActorOf(suspended) = %+v, want nobody", who)
	}
	_, err = s.browser(t).signIn(t, "boss@provider.example", password)
	wantCode(t, "SignIn(suspended)", err, hosting.Forbidden)
}

func TestAddressIsThePeersUnlessAProxyIsTrusted(t *testing.T) {
	tests := map[string]struct{ proxies, forwarded, want string }{
		"no proxy":                  {"192.0.2.0/24", "203.0.113.1", "127.0.0.1"},
		"one proxy":                 {"127.0.0.1/32", "203.0.113.1", "203.0.113.1"},
		"what strangers wrote":      {"127.0.0.1/32", "198.51.100.9, 203.0.113.1", "203.0.113.1"},
		"two proxies":               {"127.0.0.0/8", "203.0.113.1, 127.0.0.7", "203.0.113.1"},
		"nonsense before":           {"127.0.0.0/8", "nonsense, 203.0.113.1", "203.0.113.1"},
		"nonsense":                  {"127.0.0.0/8", "nonsense", "127.0.0.1"},
		"nothing":                   {"127.0.0.0/8", "", "127.0.0.1"},
		"an IPv4 address as IPv6":   {"127.0.0.0/8", "::ffff:203.0.113.1", "203.0.113.1"},
		"a zone, which can be many": {"127.0.0.0/8", "fe80::1%eth0", "fe80::1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(o *auth.Options) { o.Proxies = prefixes(tt.proxies) })
			b := s.browser(t)
			if tt.forwarded != "" {
				b.header.Set("X-Forwarded-For", tt.forwarded)
			}
			var got netip.Addr
			must(t, b.in(t, func(ctx context.Context) error { got = auth.AddressOf(ctx); return nil }))
			if got.String() != tt.want {
				t.Errorf("AddressOf(%q behind %s) = %s, want %s", tt.forwarded, tt.proxies, got, tt.want)
			}
		})
	}
}

// counting counts what is written for good.
type counting struct {
	hosting.Store
	writes atomic.Int64
}

func (c *counting) Write(ctx context.Context, do func(tx hosting.Tx) error) error {
	err := c.Store.Write(ctx, do)
	if err == nil {
		c.writes.Add(1)
	}
	return err
}

// Waiting for the disk takes longer than all else beside the hash, and anybody can measure
// it.
func TestARefusalWritesAsMuchForAddressesWithoutAnAccount(t *testing.T) {
	counts := &counting{}
	s := newSite(t, func(o *auth.Options) {
		counts.Store = o.Provider.Store
		o.Provider.Store = counts
	})
	s.administrator(t)
	writes := func(email string) int64 {
		before := counts.writes.Load()
		_, err := s.browser(t).signIn(t, email, "wrong horse battery staple")
		wantCode(t, "SignIn(wrong)", err, hosting.SignIn)
		return counts.writes.Load() - before
	}
	if known, unknown := writes("boss@provider.example"), writes("nobody@provider.example"); known != unknown {
		t.Errorf("a refusal is %d writes where there is an account and %d where there is none", known, unknown)
	}
}
