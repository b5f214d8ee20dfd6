package web_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

const password = "correct horse battery staple"

// panelURL leads httptest's client to its server.
const panelURL = "https://example.com"

// browser is one before the panel with its real doors, over HTTPS, with cookies.
type browser struct {
	h      *house
	client *http.Client
}

// open serves the house with the doors that people come in by, and returns a browser.
func (h *house) open(change ...func(*auth.Options)) *browser {
	h.t.Helper()
	at, err := url.Parse(panelURL)
	h.must(err)
	o := h.doors.Options
	o.URL = at
	for _, c := range change {
		c(&o)
	}
	h.doors, err = auth.New(o)
	h.must(err)
	pages := h.serve(h.doors.Wrap, auth.ActorOf)
	server := httptest.NewTLSServer(pages)
	h.t.Cleanup(server.Close)
	b := &browser{h: h, client: server.Client()}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b.another()
}

// another is a browser without the cookies of this one.
func (b *browser) another() *browser {
	b.h.t.Helper()
	jar, err := cookiejar.New(nil)
	b.h.must(err)
	client := *b.client
	client.Jar = jar
	return &browser{h: b.h, client: &client}
}

func (b *browser) send(method, path, kind, body string) answer {
	b.h.t.Helper()
	r, err := http.NewRequestWithContext(b.h.t.Context(), method, panelURL+path, strings.NewReader(body))
	b.h.must(err)
	r.Header.Set("Content-Type", kind)
	got, err := b.client.Do(r)
	b.h.must(err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	b.h.must(err)
	b.h.idsDiffer(path, string(text))
	return answer{got.StatusCode, got.Header, string(text)}
}

func (b *browser) get(path string) answer {
	b.h.t.Helper()
	return b.send(http.MethodGet, path, "", "")
}

func (b *browser) post(path string, form url.Values) answer {
	b.h.t.Helper()
	return b.send(http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode())
}

// leads checks where an answer leads to.
func (a answer) leads(t *testing.T, to string) {
	t.Helper()
	if got := a.header.Get("Location"); a.code != http.StatusSeeOther || got != to {
		t.Errorf("status %d to %q, want %d to %q: %.1500s", a.code, got, http.StatusSeeOther, to, a.body)
	}
}

// secured gives an account a password, by the link that its page shows.
func (b *browser) secured(id hosting.ID) {
	b.h.t.Helper()
	token, err := b.h.doors.InviteLink(b.h.t.Context(), b.h.boss, id)
	b.h.must(err)
	b.another().post("/password", url.Values{"code": {token}, "password": {password}}).leads(b.h.t, "/sign-in")
}

func (b *browser) signIn(email string) answer {
	b.h.t.Helper()
	return b.post("/sign-in", url.Values{"email": {email}, "password": {password}, "next": {"/sites"}})
}

// boss is the administrator's browser, signed in.
func (b *browser) boss() *browser {
	b.h.t.Helper()
	b.secured(b.h.boss.ID)
	b.signIn(b.h.boss.Email).leads(b.h.t, "/sites")
	return b
}

// enrol sets an authenticator up, as the page tells, and returns its seed and the page
// with the recovery codes.
func (b *browser) enrol(at string) (string, answer) {
	b.h.t.Helper()
	page := b.post(at+"/code", nil)
	page.want(b.h.t, http.StatusOK)
	found := regexp.MustCompile(`id="seed"[^>]*>([A-Z2-7]+)<`).FindStringSubmatch(page.body)
	if found == nil {
		b.h.t.Fatalf("the page shows no seed: %.3000s", page.body)
	}
	return found[1], b.post(at+"/code/confirm", url.Values{"code": {b.h.code(found[1], 0)}})
}

func (h *house) code(seed string, ahead time.Duration) string {
	h.t.Helper()
	code, err := totp.GenerateCode(seed, clock.Add(ahead))
	h.must(err)
	return code
}
