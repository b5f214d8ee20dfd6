package auth_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/mail"
	"kubepanel.io/kubepanel/internal/panel/mail/mailtest"
	"kubepanel.io/kubepanel/internal/store"
)

const password = "correct horse battery staple"

// panelURL leads httptest's client to its server; passkeys want a name, not an
// address.
const panelURL = "https://example.com"

// site is the panel's sign-in on a real database, behind a real HTTPS server.
type site struct {
	*auth.Auth
	store  *store.DB
	server *httptest.Server
	mail   *mailtest.Server

	options    auth.Options
	statements atomic.Int64

	mu    sync.Mutex
	panel http.Handler // what runs now
	ahead time.Duration
	doing map[string]func(ctx context.Context, r *http.Request) error
}

func newSite(t *testing.T, change ...func(*auth.Options)) *site {
	t.Helper()
	s := &site{mail: mailtest.Start(t, false), doing: map[string]func(context.Context, *http.Request) error{}}
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "panel.db"), store.Options{
		Keys: [][]byte{bytes.Repeat([]byte{1}, 32)}, Observe: func(string) { s.statements.Add(1) }})
	must(t, err)
	t.Cleanup(db.Close)
	s.store = db
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		panel := s.panel
		s.mu.Unlock()
		panel.ServeHTTP(w, r)
	}))
	t.Cleanup(s.server.Close)
	at, err := url.Parse(panelURL)
	must(t, err)
	mailer, err := mail.New(s.mail.Folder, "Kubepanel", at.Hostname())
	must(t, err)
	options := auth.Options{Provider: &hosting.Provider{Store: db, Now: s.now}, URL: at, Mailer: mailer, PasswordAlone: true,
		Cost: auth.Cost{Memory: 64, Passes: 1, Threads: 1}} // milliseconds less for each of many sign-ins
	for _, c := range change {
		c(&options)
	}
	s.options = options
	s.restart(t)
	return s
}

// restart puts another panel in the place of the one that ran.
func (s *site) restart(t *testing.T) {
	t.Helper()
	doors, err := auth.New(s.options)
	must(t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Auth, s.panel = doors, doors.Wrap(http.HandlerFunc(s.serve))
}

// deliver lets a panel send mail until the test ends.
func (s *site) deliver(t *testing.T, by *auth.Auth) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); by.Deliver(ctx) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// count is how many statements the database was sent.
func (s *site) count() int { return int(s.statements.Load()) }

func (s *site) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.ahead)
}

// pass lets time go by.
func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// serve runs what a test wants to be done inside a request.
func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	do := s.doing[r.URL.Path]
	s.mu.Unlock()
	if err := do(r.Context(), r); err != nil {
		w.WriteHeader(http.StatusTeapot)
	}
}

// browser keeps cookies.
type browser struct {
	site   *site
	client *http.Client
	header http.Header
}

func (s *site) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	client := s.server.Client()
	return &browser{site: s, client: &http.Client{Transport: client.Transport, Jar: jar}, header: http.Header{}}
}

// do sends a request in which f runs, and returns what f does.
func (b *browser) do(t *testing.T, body string, f func(ctx context.Context, r *http.Request) error) error {
	t.Helper()
	var answer error
	b.site.mu.Lock()
	path := fmt.Sprintf("/%d", len(b.site.doing))
	b.site.doing[path] = func(ctx context.Context, r *http.Request) error {
		answer = f(ctx, r)
		return answer
	}
	b.site.mu.Unlock()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, panelURL+path, strings.NewReader(body))
	must(t, err)
	req.Header = b.header.Clone()
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(req)
	must(t, err)
	defer resp.Body.Close() // it is read
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusTeapot {
		t.Fatalf("the request was answered %s", resp.Status)
	}
	return answer
}

func (b *browser) in(t *testing.T, f func(ctx context.Context) error) error {
	t.Helper()
	return b.do(t, "", func(ctx context.Context, _ *http.Request) error { return f(ctx) })
}

// who returns the actor of the next request, nil when there is none.
func (b *browser) who(t *testing.T) *hosting.Actor {
	t.Helper()
	var who *hosting.Actor
	must(t, b.in(t, func(ctx context.Context) error {
		if a, ok := auth.ActorOf(ctx); ok {
			who = &a
		}
		return nil
	}))
	return who
}

func (b *browser) signIn(t *testing.T, email, password string) (auth.Stage, error) {
	t.Helper()
	var stage auth.Stage
	err := b.in(t, func(ctx context.Context) (err error) {
		stage, err = b.site.SignIn(ctx, email, password, "en")
		return err
	})
	return stage, err
}

// administrator makes the first one, in a browser that is signed in.
func (s *site) administrator(t *testing.T) *browser {
	t.Helper()
	token, err := s.FirstLink(t.Context())
	must(t, err)
	b := s.browser(t)
	must(t, b.in(t, func(ctx context.Context) error {
		_, err := s.ClaimFirst(ctx, token, auth.NewAdministrator{Email: "boss@provider.example", Name: "Boss", Password: password})
		return err
	}))
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, doing string, err error, want hosting.Code) {
	t.Helper()
	if err == nil || hosting.CodeOf(err) != want {
		t.Errorf("%s = %v, want %s", doing, err, want)
	}
}

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}
