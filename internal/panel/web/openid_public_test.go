package web_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"kubepanel.io/kubepanel/internal/hosting"
)

// program makes a public application known to the panel: one on people's own computers.
func (b *browser) program(name, redirect string) *tool {
	b.h.t.Helper()
	a := &tool{h: b.h, boss: b}
	made := b.post("/applications", url.Values{"name": {name}, "redirects": {redirect}, "roles": {"administrator"}, "public": {"1"}})
	made.want(b.h.t, http.StatusOK, "It has no secret")
	if strings.Contains(made.body, "kpa_") || strings.Contains(made.body, "Make another secret") {
		b.h.t.Errorf("a public application has a secret: %.3000s", made.body)
	}
	id := regexp.MustCompile(`<code id="client"[^>]*>([^<]+)<`).FindStringSubmatch(made.body)
	a.page = "/applications/" + id[1]
	var err error
	a.known, err = oidc.NewProvider(a.context(), panelURL)
	b.h.must(err)
	a.config = oauth2.Config{ClientID: id[1], Endpoint: a.known.Endpoint(), RedirectURL: redirect, Scopes: []string{oidc.ScopeOpenID, "email", "offline_access"}}
	a.verify = a.known.Verifier(&oidc.Config{ClientID: id[1], Now: b.h.rules.Now})
	return a
}

// agreed is the code that a person brings who agrees.
func (a *tool) agreed(b *browser, change ...oauth2.AuthCodeOption) string {
	a.h.t.Helper()
	asked := b.get(at(a.begin(change...)))
	asked.want(a.h.t, http.StatusOK, "Sign in to kubectl?", "Go on only if")
	if asked.header.Get("Refresh") != "" || asked.header.Get("Location") != "" {
		a.h.t.Errorf("the page goes on by itself: %v", asked.header)
	}
	link := regexp.MustCompile(`href="(http://[^"]+)"`).FindStringSubmatch(asked.body)
	if link == nil {
		a.h.t.Fatalf("the page leads nowhere: %.3000s", asked.body)
	}
	to, err := url.Parse(html.UnescapeString(link[1]))
	a.h.must(err)
	if want := a.config.RedirectURL; !strings.HasPrefix(to.String(), want+"?") {
		a.h.t.Errorf("the page leads to %s, want %s", to, want)
	}
	return to.Query().Get("code")
}

func TestProgramWithoutASecretSignsInByPKCE(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.program("kubectl", "http://127.0.0.1/callback")
	a.config.RedirectURL = "http://127.0.0.1:8123/callback" // wherever there was room
	code := a.agreed(boss)
	a.config.ClientSecret = "guessed"
	if err := a.redeem(code); err == nil {
		t.Error("a public application shows a secret and is believed")
	}
	a.config.ClientSecret = ""
	h.must(a.redeem(code))
	if a.said.Subject != string(h.boss.ID) {
		t.Errorf("the program is told %+v", a.said)
	}
	was := a.token.RefreshToken
	again, err := a.config.TokenSource(a.context(), &oauth2.Token{RefreshToken: was}).Token()
	h.must(err)
	if again.RefreshToken == was || again.RefreshToken == "" {
		t.Error("a refresh token counts more than once")
	}
	if _, err := a.config.TokenSource(a.context(), &oauth2.Token{RefreshToken: was}).Token(); err == nil {
		t.Error("a refresh token was taken twice")
	}
	code = a.agreed(boss)
	a.verifier = oauth2.GenerateVerifier()
	if err := a.redeem(code); err == nil {
		t.Error("a stolen code is traded in without its verifier")
	}
	boss.post(a.page+"/secret", nil).want(t, http.StatusConflict, "kubectl has no secret")
	changed := url.Values{"name": {"kubectl"}, "redirects": {"http://127.0.0.1/callback"}, "roles": {"administrator"}}
	boss.post(a.page, changed).leads(t, a.page)
	h.must(a.redeem(a.agreed(boss))) // still public
	// Who can't ask, because nobody is to be asked, gets nothing.
	quiet, err := url.Parse(boss.get(at(a.begin(oauth2.SetAuthURLParam("prompt", "none")))).header.Get("Location"))
	if err != nil || quiet.Query().Get("error") != "interaction_required" || quiet.Query().Has("code") {
		t.Errorf("without asking the program gets %v (%v)", quiet, err)
	}
}

// Only the port of the computer itself is free, and only for who has no secret.
func TestAddressOfAProgramCountsWithAnyPort(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.program("kubectl", "http://127.0.0.1/callback")
	secret := boss.tool("Grafana", hosting.Administrator)
	for to, taken := range map[string]bool{
		"http://127.0.0.1/callback": true, "http://127.0.0.1:1/callback": true, "http://127.0.0.1:65535/callback": true,
		"http://127.0.0.1:1/other": false, "http://127.0.0.2/callback": false, "http://localhost:1/callback": false, "https://127.0.0.1:1/callback": false,
		"http://127.0.0.1:1/callback?x=1": false, "http://x@127.0.0.1:1/callback": false, "http://127.0.0.1:1@evil.example/callback": false,
		"http://127.0.0.1.evil.example/callback": false, "http://[::1]:1/callback": false, "http://127.0.0.1:1/callback#x": false, "http://127.0.0.1:x/callback": false,
	} {
		got := boss.get(at(a.begin(oauth2.SetAuthURLParam("redirect_uri", to))))
		if (got.code == http.StatusOK) != taken {
			t.Errorf("%s answers %d, want it taken: %v", to, got.code, taken)
		}
	}
	other := strings.Replace(secret.config.RedirectURL, "127.0.0.1:", "127.0.0.1:1", 1)
	boss.get(at(secret.begin(oauth2.SetAuthURLParam("redirect_uri", other)))).want(t, http.StatusUnprocessableEntity, "an address that is not its own")
}

// An address is verified when somebody followed a link that was mailed there.
func TestAddressIsVerifiedByAMailsLinkAlone(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	verified := func(want bool, when string) {
		t.Helper()
		a.enter(boss)
		said, err := a.who()
		if err != nil || said.Verified != want || a.said.Verified != want {
			t.Errorf("%s: email_verified = %v in the token and %v (%v), want %v", when, a.said.Verified, said.Verified, err, want)
		}
	}
	verified(false, "its link was shown")
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); h.doors.Deliver(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	boss.another().post("/forgot", url.Values{"email": {h.boss.Email}}).want(t, http.StatusOK)
	text := strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(h.mail.Next(t).Text)
	link := regexp.MustCompile(`/password#([\w-]+)`).FindStringSubmatch(text)
	if link == nil {
		t.Fatalf("the mail has no link: %s", text)
	}
	boss.another().post("/password", url.Values{"code": {link[1]}, "password": {password}}).leads(t, "/sign-in")
	boss.signIn(h.boss.Email)
	verified(true, "its link was mailed and followed")
	other := "ada@provider.example"
	_, err := h.rules.ChangeUser(t.Context(), h.boss, h.boss.ID, hosting.UserChange{Email: &other})
	h.must(err)
	verified(false, "it is another address now")
	_, err = h.rules.ChangeUser(t.Context(), h.boss, h.boss.ID, hosting.UserChange{Email: &h.boss.Email})
	h.must(err)
	token, err := h.doors.ResetLink(t.Context(), h.boss, h.boss.ID)
	h.must(err)
	boss.another().post("/password", url.Values{"code": {token}, "password": {password}}).leads(t, "/sign-in")
	boss.signIn(h.boss.Email)
	verified(true, "it is the former again, which somebody has shown to have")
}
