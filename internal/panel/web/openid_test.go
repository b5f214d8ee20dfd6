package web_test

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// tool is an application beside the panel, with the OpenID Connect client that many are
// made of.
type tool struct {
	h      *house
	boss   *browser
	server *httptest.Server
	page   string // of the panel
	config oauth2.Config
	verify *oidc.IDTokenVerifier
	known  *oidc.Provider
	// verifier, state and nonce are those of the sign-in that is under way.
	verifier, state, nonce string
	// token and said are of the last that succeeded; fault is why the last did not.
	token *oauth2.Token
	said  claims
	fault string
}

type claims struct {
	Subject  string   `json:"sub"`
	Email    string   `json:"email"`
	Name     string   `json:"name"`
	Verified bool     `json:"email_verified"`
	Groups   []string `json:"groups"`
	Methods  []string `json:"amr"`
	AuthTime int64    `json:"auth_time"`
	Nonce    string   `json:"nonce"`
	Session  string   `json:"sid"`
}

// tool makes an application known to the panel by its page, and starts it.
func (b *browser) tool(name string, roles ...hosting.Role) *tool {
	b.h.t.Helper()
	a := &tool{h: b.h, boss: b}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, a.begin(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) { a.finish(w, r.URL.Query()) })
	a.server = httptest.NewServer(mux)
	b.h.t.Cleanup(a.server.Close)
	form := url.Values{"name": {name}, "redirects": {a.server.URL + "/callback\n" + a.server.URL + "/other"}, "farewells": {a.server.URL + "/bye"}}
	for _, role := range roles {
		form.Add("roles", string(role))
	}
	made := b.post("/applications", form)
	made.want(b.h.t, http.StatusOK, "it is shown this once")
	shown := func(id string) string {
		found := regexp.MustCompile(`<code id="` + id + `"[^>]*>([^<]+)<`).FindStringSubmatch(made.body)
		if found == nil {
			b.h.t.Fatalf("the page shows no %s: %.3000s", id, made.body)
		}
		return found[1]
	}
	a.page = "/applications/" + shown("client")
	if again := b.get(a.page); strings.Contains(again.body, shown("secret")) {
		b.h.t.Error("the secret is shown again")
	}
	var err error
	a.known, err = oidc.NewProvider(a.context(), shown("issuer"))
	b.h.must(err)
	a.config = oauth2.Config{ClientID: shown("client"), ClientSecret: shown("secret"), Endpoint: a.known.Endpoint(), RedirectURL: a.server.URL + "/callback",
		Scopes: []string{oidc.ScopeOpenID, "email", "profile", "groups"}}
	a.verify = a.known.Verifier(&oidc.Config{ClientID: a.config.ClientID, Now: func() time.Time { return b.h.rules.Now() }})
	return a
}

// context leads the application's requests to the panel, without cookies.
func (a *tool) context() context.Context {
	client := *a.boss.client
	client.Jar = nil
	return oidc.ClientContext(a.h.t.Context(), &client)
}

// begin is the address that the application sends people to.
func (a *tool) begin(change ...oauth2.AuthCodeOption) string {
	a.state, a.nonce, a.verifier = oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	return a.config.AuthCodeURL(a.state, append([]oauth2.AuthCodeOption{oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier)}, change...)...)
}

// finish signs in who comes back.
func (a *tool) finish(w http.ResponseWriter, answer url.Values) {
	a.token, a.said, a.fault = nil, claims{}, ""
	if answer.Get("state") != a.state || answer.Get("iss") != a.known.Endpoint().AuthURL[:len(panelURL)] {
		http.Error(w, "another state or issuer", http.StatusBadRequest)
		return
	}
	if a.fault = answer.Get("error"); a.fault != "" {
		http.Error(w, a.fault, http.StatusForbidden)
		return
	}
	if err := a.redeem(answer.Get("code")); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	w.Write([]byte("Hello " + a.said.Name))
}

// redeem trades a code for who it is.
func (a *tool) redeem(code string) error {
	token, err := a.config.Exchange(a.context(), code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return err
	}
	return a.read(token)
}

// read verifies what the panel says.
func (a *tool) read(token *oauth2.Token) error {
	raw, _ := token.Extra("id_token").(string)
	id, err := a.verify.Verify(a.context(), raw)
	if err != nil {
		return err
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		return err
	}
	a.token = token
	return id.Claims(&a.said)
}

// who asks the panel whose the application's token is.
func (a *tool) who() (claims, error) {
	var c claims
	info, err := a.known.UserInfo(a.context(), oauth2.StaticTokenSource(a.token))
	if err != nil {
		return c, err
	}
	return c, info.Claims(&c)
}

// at is the part of an address that a browser asks the panel for.
func at(address string) string { return strings.TrimPrefix(address, panelURL) }

// follow goes on from an answer of the panel to the application, and returns what that
// says.
func (a *tool) follow(got answer) answer {
	a.h.t.Helper()
	to := got.header.Get("Location")
	if got.code != http.StatusSeeOther || !strings.HasPrefix(to, a.server.URL) {
		a.h.t.Fatalf("status %d to %q, want back to the application: %.1500s", got.code, to, got.body)
	}
	r, err := http.Get(to) //nolint:noctx // a test's server
	a.h.must(err)
	defer r.Body.Close()
	w := httptest.NewRecorder()
	a.h.must(r.Write(w))
	return answer{r.StatusCode, r.Header, w.Body.String()}
}

// enter signs in to the application with a browser that is signed in to the panel.
func (a *tool) enter(b *browser, change ...oauth2.AuthCodeOption) answer {
	a.h.t.Helper()
	return a.follow(b.get(at(a.begin(change...))))
}

// code is one that the panel gave, which the application has not traded in yet.
func (a *tool) code(b *browser, change ...oauth2.AuthCodeOption) string {
	a.h.t.Helper()
	to, err := url.Parse(b.get(at(a.begin(change...))).header.Get("Location"))
	a.h.must(err)
	if to.Query().Get("code") == "" {
		a.h.t.Fatalf("the panel leads to %s, want a code", to)
	}
	return to.Query().Get("code")
}

func TestPeopleSignInToAnApplicationByThePanel(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator, hosting.Customer)
	b := boss.another()
	jo := h.jo
	b.secured(jo.ID)
	// From the application to the panel's sign-in, and back without a form leading elsewhere.
	away := b.get(at(a.begin()))
	if away.code != http.StatusSeeOther || !strings.HasPrefix(away.header.Get("Location"), "/sign-in?next=%2Fopenid%2Fauthorize") {
		t.Fatalf("nobody signed in = %d to %q, want the sign-in", away.code, away.header.Get("Location"))
	}
	next, err := url.ParseQuery(strings.TrimPrefix(away.header.Get("Location"), "/sign-in?"))
	h.must(err)
	signed := b.post("/sign-in", url.Values{"email": {jo.Email}, "password": {password}, "next": {next.Get("next")}})
	signed.want(t, http.StatusOK, "You are signed in")
	on, found := strings.CutPrefix(signed.header.Get("Refresh"), "0; url=")
	if !found {
		t.Fatalf("Refresh = %q, want that the page goes on", signed.header.Get("Refresh"))
	}
	a.follow(b.get(on)).want(t, http.StatusOK, "Hello Jo Customer")
	if a.said.Subject != string(jo.ID) || a.said.Email != jo.Email || len(a.said.Groups) != 1 || a.said.Groups[0] != "customer" || a.said.Nonce != a.nonce || a.said.AuthTime != clock.Unix() {
		t.Errorf("the application is told %+v", a.said)
	}
	if said, err := a.who(); err != nil || said.Subject != string(jo.ID) || said.Email != jo.Email || said.Name != jo.Name {
		t.Errorf("UserInfo = %+v, %v", said, err)
	}
	// Who is signed in already is not asked again.
	a.enter(boss).want(t, http.StatusOK, "Hello Ada Boss")
	boss.get("/audit").want(t, http.StatusOK, "application.sign-in", "application Grafana")
}

func TestApplicationIsToldWhatItAskedForAlone(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	a.config.Scopes = []string{oidc.ScopeOpenID, "everything"}
	a.enter(boss)
	if a.token == nil || a.said.Email != "" || a.said.Name != "" || a.said.Groups != nil || a.token.RefreshToken != "" || a.token.Extra("scope") != "openid" {
		t.Errorf("for openid alone it is told %+v with %v", a.said, a.token)
	}
}

func TestCodeIsSentToTheApplicationsOwnAddressAlone(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	good := a.server.URL + "/callback"
	for name, to := range map[string]string{
		"another path": good + "/more", "a query": good + "?x=1", "another host": "https://evil.example/callback", "upper case": strings.ToUpper(good[:5]) + good[5:],
		"a host in front": strings.Replace(good, "http://", "http://evil.example@", 1), "nothing": "", "encoded": url.QueryEscape(good), "dots": a.server.URL + "/x/../callback",
	} {
		t.Run(name, func(t *testing.T) {
			got := boss.get(at(a.begin(oauth2.SetAuthURLParam("redirect_uri", to))))
			got.want(t, http.StatusUnprocessableEntity, "sends people to an address that is not its own")
			if got.header.Get("Location") != "" {
				t.Errorf("the browser is sent to %q", got.header.Get("Location"))
			}
		})
	}
	boss.get(at(a.begin(oauth2.SetAuthURLParam("client_id", "another")))).want(t, http.StatusUnprocessableEntity, "knows no such application")
	boss.get(at(a.begin())+"&redirect_uri="+url.QueryEscape(good)).want(t, http.StatusUnprocessableEntity, "says something twice")
}

func TestApplicationMustDoAllOfTheCodeFlow(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	set := oauth2.SetAuthURLParam
	for name, tt := range map[string]struct {
		change oauth2.AuthCodeOption
		want   string
	}{
		"without PKCE":             {set("code_challenge", ""), "invalid_request"},
		"a plain challenge":        {set("code_challenge_method", "plain"), "invalid_request"},
		"a challenge of no hash":   {set("code_challenge", "abc"), "invalid_request"},
		"tokens by the browser":    {set("response_type", "id_token token"), "unsupported_response_type"},
		"an answer behind a #":     {set("response_mode", "fragment"), "invalid_request"},
		"no OpenID":                {set("scope", "email"), "invalid_scope"},
		"a request in a token":     {set("request", "e30."), "request_not_supported"},
		"a request somewhere else": {set("request_uri", "https://evil.example"), "request_uri_not_supported"},
	} {
		t.Run(name, func(t *testing.T) {
			if a.enter(boss, tt.change); a.fault != tt.want {
				t.Errorf("the application is told %q, want %q", a.fault, tt.want)
			}
		})
	}
	if a.enter(boss.another(), set("prompt", "none")); a.fault != "login_required" {
		t.Errorf("nobody is signed in, and the application is told %q", a.fault)
	}
	a.enter(boss, set("prompt", "none")).want(t, http.StatusOK, "Hello")
}

func TestCodeCountsOnce(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	code := a.code(boss)
	h.must(a.redeem(code))
	if _, err := a.who(); err != nil {
		t.Fatal(err)
	}
	first := a.token
	if err := a.redeem(code); err == nil {
		t.Error("a code was taken twice")
	}
	a.token = first
	if _, err := a.who(); err == nil {
		t.Error("what a code brought still counts after the code came a second time")
	}
	boss.get("/audit").want(t, http.StatusOK, "application.replay")
}

// Of many panels that one code is brought to at once, one gives tokens for it.
func TestCodeCountsOnceAmongSeveralPanels(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	code := a.code(boss)
	var wins atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		panel := &browser{h: h, client: h.open().client} // another one on the same database
		mine := *a
		mine.boss = panel
		all.Go(func() {
			if mine.redeem(code) == nil {
				wins.Add(1)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d of 4 panels gave tokens for one code, want one", wins.Load())
	}
	// The next is begun before one panel and ended before another.
	a.boss = &browser{h: h, client: h.open().client}
	h.must(a.redeem(a.code(boss)))
}

func TestStolenCodeIsWorthNothing(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a, other := boss.tool("Grafana", hosting.Administrator), boss.tool("Other", hosting.Administrator)
	now := clock
	h.rules.Now = func() time.Time { return now }
	for name, spoil := range map[string]func(*tool){
		"of another application": func(a *tool) {
			a.config.ClientID, a.config.ClientSecret = other.config.ClientID, other.config.ClientSecret
		},
		"with another secret":   func(a *tool) { a.config.ClientSecret = other.config.ClientSecret },
		"with no secret":        func(a *tool) { a.config.ClientSecret = "" },
		"without the verifier":  func(a *tool) { a.verifier = "" },
		"with another verifier": func(a *tool) { a.verifier = oauth2.GenerateVerifier() },
		"for another address":   func(a *tool) { a.config.RedirectURL = a.server.URL + "/other" },
		"a minute too late":     func(*tool) { now = now.Add(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			mine := *a
			code := mine.code(boss)
			good := mine
			spoil(&mine)
			if err := mine.redeem(code); err == nil {
				t.Error("it brought tokens")
			}
			if strings.HasPrefix(name, "for") || strings.Contains(name, "verifier") {
				if err := good.redeem(code); err == nil {
					t.Error("a second guess was allowed")
				}
			}
		})
	}
	if err := a.redeem("nothing"); err == nil {
		t.Error("a code that nobody gave brought tokens")
	}
}

// sessionEnds are the ways in which the session of Jo's browser ends.
func sessionEnds() map[string]func(h *house, b *browser) {
	return map[string]func(h *house, b *browser){
		"signing out":          func(_ *house, b *browser) { b.post("/sign-out", nil) },
		"a suspended account":  func(h *house, _ *browser) { h.must(h.rules.SuspendUser(h.t.Context(), h.boss, h.jo.ID, true)) },
		"an account that ends": func(h *house, _ *browser) { h.must(h.rules.DeleteUser(h.t.Context(), h.boss, h.jo.ID)) },
		"another password": func(h *house, b *browser) {
			token, err := h.doors.ResetLink(h.t.Context(), h.boss, h.jo.ID)
			h.must(err)
			b.another().post("/password", url.Values{"code": {token}, "password": {"another horse battery staple"}})
		},
		"an administrator": func(h *house, _ *browser) { h.must(h.doors.EndSessions(h.t.Context(), h.boss, h.jo.ID)) },
	}
}

func TestTokensEndWithTheSession(t *testing.T) {
	for name, end := range sessionEnds() {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			boss := h.open().boss()
			a := boss.tool("Grafana", hosting.Customer)
			a.config.Scopes = append(a.config.Scopes, oidc.ScopeOfflineAccess)
			b := boss.another()
			b.secured(h.jo.ID)
			b.signIn(h.jo.Email).leads(t, "/sites")
			a.enter(b).want(t, http.StatusOK, "Hello")
			_, err := a.who()
			h.must(err)
			had, waiting := a.token, a.code(b)
			end(h, b)
			if err := a.redeem(waiting); err == nil {
				t.Error("a code from before brought tokens")
			}
			a.token = had
			if said, err := a.who(); err == nil {
				t.Errorf("the access token still says %+v", said)
			}
			if got, err := a.config.TokenSource(a.context(), &oauth2.Token{RefreshToken: had.RefreshToken}).Token(); err == nil {
				t.Errorf("the refresh token still brings %v", got)
			}
		})
	}
}

func TestRoleThatMayNoMoreIsOut(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	a.enter(boss).want(t, http.StatusOK, "Hello")
	b := boss.another()
	b.secured(h.jo.ID)
	b.signIn(h.jo.Email)
	b.get(at(a.begin())).want(t, http.StatusForbidden, "Your account may not sign in to Grafana.")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.begin(), nil)
	h.must(err)
	r.Header.Set("Accept-Language", "de")
	german, err := b.client.Do(r)
	h.must(err)
	defer german.Body.Close()
	text, err := io.ReadAll(german.Body)
	h.must(err)
	if !strings.Contains(string(text), "Ihr Konto darf sich bei Grafana nicht anmelden.") {
		t.Errorf("in German the page says %.2000s", text)
	}
	if a.enter(b, oauth2.SetAuthURLParam("prompt", "none")); a.fault != "access_denied" {
		t.Errorf("the application is told %q", a.fault)
	}
	a.enter(boss)
	boss.post(a.page, url.Values{"name": {"Grafana"}, "redirects": {a.server.URL + "/callback"}, "roles": {"customer"}}).leads(t, a.page)
	if _, err := a.who(); err == nil {
		t.Error("who may not sign in any more is still told of")
	}
}

func TestNobodySignsInToAnApplicationAsSomebodyElse(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Roles()...)
	a.enter(boss).want(t, http.StatusOK, "Hello Ada Boss")
	boss.post("/users/"+string(h.jo.ID)+"/act-as", nil).leads(t, "/")
	got := boss.get(at(a.begin()))
	got.want(t, http.StatusForbidden, "You are here as Jo Customer", "Go back to your own account first")
	if got.header.Get("Location") != "" {
		t.Errorf("support is sent to %q", got.header.Get("Location"))
	}
	if said, err := a.who(); err == nil {
		t.Errorf("while support is another, the application is told of %+v", said)
	}
	boss.post("/act-as/end", nil)
	a.enter(boss).want(t, http.StatusOK, "Hello Ada Boss")
	if a.said.Subject != string(h.boss.ID) {
		t.Errorf("the application is told of %s, want the administrator", a.said.Subject)
	}
}

func TestTokenOfTheAPISignsInNowhere(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	text, err := h.doors.IssueToken(t.Context(), h.boss.Email, auth.NewToken{Name: "all", Scopes: auth.TokenScopes(), Life: time.Hour})
	h.must(err)
	r := httptest.NewRequest(http.MethodGet, at(a.begin()), nil)
	r.Header.Set("Authorization", "Bearer "+text)
	h.handler = h.serve(h.doors.Wrap, auth.ActorOf)
	h.ask(r).want(t, http.StatusForbidden)
}

func TestRefreshTokenCountsOnce(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	a.config.Scopes = append(a.config.Scopes, oidc.ScopeOfflineAccess)
	a.enter(boss).want(t, http.StatusOK, "Hello")
	refresh := func(text string) (*oauth2.Token, error) {
		return a.config.TokenSource(a.context(), &oauth2.Token{RefreshToken: text}).Token()
	}
	first := a.token
	second, err := refresh(first.RefreshToken)
	h.must(err)
	if second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken {
		t.Error("refreshing brought the same tokens")
	}
	h.must(a.read(second))
	if a.said.Subject != string(h.boss.ID) || a.said.AuthTime != clock.Unix() {
		t.Errorf("a refreshed token says %+v", a.said)
	}
	other := boss.tool("Other", hosting.Administrator)
	if _, err := other.config.TokenSource(a.context(), &oauth2.Token{RefreshToken: second.RefreshToken}).Token(); err == nil {
		t.Error("another application's refresh token brought tokens")
	}
	if _, err := refresh(first.RefreshToken); err == nil {
		t.Error("a refresh token was taken twice")
	}
	if _, err := refresh(second.RefreshToken); err == nil {
		t.Error("after one came twice, its successor still counts")
	}
	if _, err := a.who(); err == nil {
		t.Error("after a refresh token came twice, the access token still counts")
	}
}

func TestSecondFactorHoldsForApplications(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	seed, _ := boss.enrol("/account")
	b := boss.another()
	b.signIn(h.boss.Email).leads(t, "/sign-in/code?next=%2Fsites")
	begun := at(a.begin())
	if to := b.get(begun).header.Get("Location"); !strings.HasPrefix(to, "/sign-in?next=") {
		t.Fatalf("with half a sign-in the panel leads to %q", to)
	}
	now := clock.Add(30 * time.Second) // the first code was used to set it up
	h.rules.Now = func() time.Time { return now }
	b.post("/sign-in/code", url.Values{"code": {h.code(seed, 30*time.Second)}, "next": {begun}}).want(t, http.StatusOK, "You are signed in")
	a.follow(b.get(begun)).want(t, http.StatusOK, "Hello Ada Boss")
	if len(a.said.Methods) != 1 || a.said.Methods[0] != "mfa" {
		t.Errorf("amr = %v, want that there was a second factor", a.said.Methods)
	}
	// Where a role must have one from now on, who signed in without is out.
	strict := newHouse(t)
	without := strict.open().boss()
	loose := without.tool("Grafana", hosting.Administrator)
	loose.enter(without).want(t, http.StatusOK, "Hello")
	strict.doors.SecondFactorFor = []hosting.Role{hosting.Administrator}
	if said, err := loose.who(); err == nil {
		t.Errorf("without the factor that the role must have, the application is told %+v", said)
	}
}

// Who has to set a second factor up on the way to an application gets there after it.
func TestSettingUpASecondFactorLeadsOnToTheApplication(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	h.doors.SecondFactorFor = []hosting.Role{hosting.Administrator}
	b := boss.another()
	begun := at(a.begin())
	to := b.get(begun).header.Get("Location")
	asked, err := url.Parse(to)
	h.must(err)
	enrol := b.post("/sign-in", url.Values{"email": {h.boss.Email}, "password": {password}, "next": {asked.Query().Get("next")}}).header.Get("Location")
	if again := b.get(begun).header.Get("Location"); !strings.HasPrefix(enrol, "/enrol?next=") || again != enrol {
		t.Errorf("the password leads to %q and the application to %q, want the page to set a factor up, with the way on", enrol, again)
	}
	page := b.get(enrol)
	next := regexp.MustCompile(`name="next" value="([^"]+)"`).FindStringSubmatch(page.body)
	if next == nil {
		t.Fatalf("the page forgets the way: %.3000s", page.body)
	}
	way := url.Values{"next": {html.UnescapeString(next[1])}}
	seeded := b.post("/enrol/code", way)
	seed := regexp.MustCompile(`id="seed"[^>]*>([A-Z2-7]+)<`).FindStringSubmatch(seeded.body)[1]
	way.Set("code", "x00000")
	b.post("/enrol/code/confirm", way).want(t, http.StatusUnauthorized, next[0])
	way.Set("code", h.code(seed, 0))
	on := regexp.MustCompile(`href="(/openid/[^"]+)"`).FindStringSubmatch(b.post("/enrol/code/confirm", way).body)
	if on == nil {
		t.Fatal("after the recovery codes no way leads to the application")
	}
	a.follow(b.get(html.UnescapeString(on[1]))).want(t, http.StatusOK, "Hello Ada Boss")
	for _, evil := range []string{"https://evil.example/", "//evil.example", "javascript:alert(1)"} {
		b.get("/enrol?"+url.Values{"next": {evil}}.Encode()).leads(t, "/")
	}
}

func TestApplicationMayAskForAFreshSignIn(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	now := clock
	h.rules.Now = func() time.Time { return now }
	a.enter(boss, oauth2.SetAuthURLParam("max_age", "60")).want(t, http.StatusOK, "Hello")
	now = now.Add(2 * time.Minute)
	for name, ask := range map[string]oauth2.AuthCodeOption{"max_age": oauth2.SetAuthURLParam("max_age", "60"), "at once": oauth2.SetAuthURLParam("max_age", "0"), "prompt": oauth2.SetAuthURLParam("prompt", "login")} {
		t.Run(name, func(t *testing.T) {
			to := boss.get(at(a.begin(ask))).header.Get("Location")
			query, found := strings.CutPrefix(to, "/sign-in?")
			if !found {
				t.Fatalf("it leads to %q, want the sign-in", to)
			}
			boss.get(to).want(t, http.StatusOK, "Password")
			asked, err := url.ParseQuery(query)
			h.must(err)
			signed := boss.post("/sign-in", url.Values{"email": {h.boss.Email}, "password": {password}, "next": {asked.Get("next")}})
			a.follow(boss.get(strings.TrimPrefix(signed.header.Get("Refresh"), "0; url="))).want(t, http.StatusOK, "Hello")
			if a.said.AuthTime != now.Unix() {
				t.Errorf("auth_time = %d, want %d", a.said.AuthTime, now.Unix())
			}
			now = now.Add(2 * time.Minute)
		})
	}
}

func TestApplicationSignsOut(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	a.enter(boss).want(t, http.StatusOK, "Hello")
	var has struct {
		Leave string `json:"end_session_endpoint"`
	}
	h.must(a.known.Claims(&has))
	hint, _ := a.token.Extra("id_token").(string)
	leave := func(query url.Values) string { return at(has.Leave) + "?" + query.Encode() }
	// Anybody can make a link: who sits there is asked.
	for name, query := range map[string]url.Values{
		"nothing": {}, "a client": {"client_id": {a.config.ClientID}}, "a stranger's hint": {"id_token_hint": {hint[:len(hint)-6] + "AAAAAA"}},
		"another client": {"id_token_hint": {hint}, "client_id": {"another"}},
	} {
		t.Run(name, func(t *testing.T) {
			boss.get(leave(query)).want(t, http.StatusOK, "Sign out?", `action="/sign-out"`)
		})
	}
	boss.get("/account").want(t, http.StatusOK)
	// An address that isn't the application's is not gone to.
	other := boss.another()
	other.get(leave(url.Values{"client_id": {a.config.ClientID}, "post_logout_redirect_uri": {"https://evil.example"}})).leads(t, "/sign-in")
	bye := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {a.server.URL + "/bye"}, "state": {"s"}}
	boss.get(leave(bye)).leads(t, a.server.URL+"/bye?state=s")
	boss.get("/account").leads(t, "/sign-in?next=%2Faccount")
	if _, err := a.who(); err == nil {
		t.Error("signed out, and the token still counts")
	}
	boss.post(at(has.Leave), bye).leads(t, leave(bye)) // a form becomes a link
}

func TestApplicationsAreAdministered(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	boss.get("/applications").want(t, http.StatusOK, "No application yet")
	boss.get("/applications/new").want(t, http.StatusOK)
	boss.post("/applications", url.Values{"name": {""}, "redirects": {"http://plain.example/callback https://x.example/*"}}).want(t, http.StatusUnprocessableEntity,
		"The name is empty", "http://plain.example/callback", "Choose whose accounts may sign in")
	boss.post("/applications", url.Values{"name": {"A"}, "roles": {"administrator"}}).want(t, http.StatusUnprocessableEntity, "Name the address that people are sent back to")
	a := boss.tool("Grafana", hosting.Administrator)
	boss.get("/applications").want(t, http.StatusOK, "Grafana", "Administrator")
	boss.post("/applications", url.Values{"name": {"Grafana"}, "redirects": {"https://x.example"}, "roles": {"customer"}}).want(t, http.StatusConflict, "Another application has this name")
	renewed := boss.post(a.page+"/secret", url.Values{"confirm": {"Grafana"}})
	renewed.want(t, http.StatusOK, "it is shown this once")
	if err := a.redeem(a.code(boss)); err == nil {
		t.Error("the former secret still counts")
	}
	a.config.ClientSecret = regexp.MustCompile(`<code id="secret"[^>]*>([^<]+)<`).FindStringSubmatch(renewed.body)[1]
	h.must(a.redeem(a.code(boss)))
	if trail := boss.get("/audit"); !strings.Contains(trail.body, "secret of application Grafana") || strings.Contains(trail.body, a.config.ClientSecret) {
		t.Error("the trail has the secret, or not that there is another")
	}
	jo := boss.another()
	jo.secured(h.jo.ID)
	jo.signIn(h.jo.Email)
	for _, path := range []string{"/applications", "/applications/new", a.page} {
		if got := jo.get(path); got.code != http.StatusForbidden && got.code != http.StatusNotFound {
			t.Errorf("%s for a customer = %d, want it refused", path, got.code)
		}
	}
	for _, path := range []string{"/applications", a.page, a.page + "/secret", a.page + "/delete"} {
		if got := jo.post(path, url.Values{"name": {"x"}, "redirects": {"https://x.example"}, "roles": {"customer"}}); got.code != http.StatusForbidden && got.code != http.StatusNotFound {
			t.Errorf("a customer posts to %s = %d, want it refused", path, got.code)
		}
	}
	boss.post(a.page+"/delete", url.Values{"confirm": {"Grafana"}}).leads(t, "/applications")
	if _, err := a.who(); err == nil {
		t.Error("a removed application's token still counts")
	}
	boss.get(at(a.begin())).want(t, http.StatusUnprocessableEntity, "knows no such application")
}

// What programs get is for no page of anybody: no origin may read it, nothing keeps it.
func TestProgramsAnswersAreTheirs(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	for _, path := range []string{"/openid/token", "/openid/userinfo", "/openid/keys", "/.well-known/openid-configuration"} {
		method := http.MethodGet
		if strings.HasSuffix(path, "token") {
			method = http.MethodPost
		}
		got := boss.send(method, path, "application/x-www-form-urlencoded", "")
		if got.header.Get("Access-Control-Allow-Origin") != "" || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Content-Type") != "application/json" ||
			got.header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s answers with %v", path, got.header)
		}
		var says map[string]any
		if err := json.Unmarshal([]byte(got.body), &says); err != nil {
			t.Errorf("%s answers %q: %v", path, got.body, err)
		}
	}
}
