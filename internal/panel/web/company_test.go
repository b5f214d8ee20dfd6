package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// employer makes a company's provider known to the panel, and returns the way to sign in by it.
func (b *browser) employer(c *company, change url.Values) string {
	b.h.t.Helper()
	form := url.Values{"name": {"Acme"}, "issuer": {c.server.URL}, "client": {"panel"}, "secret": {companySecret}, "domains": {"provider.example, Acme.example"}}
	for name, value := range change {
		form[name] = value
	}
	made := b.post("/companies", form)
	if to := made.header.Get("Location"); made.code == http.StatusSeeOther {
		return "/sign-in/company/" + strings.TrimPrefix(to, "/companies/")
	}
	b.h.t.Fatalf("a new provider = %d: %.2000s", made.code, made.body)
	return ""
}

// trusting lets the panel's doors believe the test's provider's certificate.
func trusting(c *company) func(*auth.Options) {
	return func(o *auth.Options) { o.HTTP = c.server.Client().Transport }
}

func TestCompanysPeopleSignInByItsProvider(t *testing.T) {
	h, c := newHouse(t), newCompany(t)
	boss := h.open(trusting(c)).boss()
	way := boss.employer(c, nil)
	b := boss.another()
	b.get("/sign-in?next=/audit").want(t, http.StatusOK, "Sign in with Acme", `href="`+way+`?next=%2Faudit"`)
	c.come(b, way+"?next=/audit").leads(t, "/audit")
	b.get("/account").want(t, http.StatusOK, h.boss.Email)
	// Another address there later is still the same person.
	c.says["email"] = "renamed@acme.example"
	again := boss.another()
	c.come(again, way).leads(t, "/")
	again.get("/account").want(t, http.StatusOK, h.boss.Email)
	trail := boss.get("/audit?q=identity")
	trail.want(t, http.StatusOK)
	if strings.Contains(trail.body, companySecret) || strings.Contains(boss.get("/companies").body, companySecret) {
		t.Error("a page shows the client's secret")
	}
}

func TestOnlyWhomTheCompanyMayVouchForComesIn(t *testing.T) {
	h, c := newHouse(t), newCompany(t)
	boss := h.open(trusting(c)).boss()
	way := boss.employer(c, nil)
	for name, says := range map[string]map[string]any{
		"an address that is not verified": {"email_verified": false},
		"an address of another domain":    {"email": "boss@provider.example.evil.example"},
		"no address":                      {"email": ""},
		"somebody without an account":     {"email": "new@acme.example"},
		"another nonce":                   {"nonce": "another"},
		"another panel's token":           {"aud": "another"},
		"another issuer":                  {"iss": "https://evil.example"},
		"a token of yesterday":            {"exp": clock.Unix() - 86400},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.says
			c.says = map[string]any{"sub": "43", "email": h.boss.Email, "email_verified": true}
			defer func() { c.says = before }()
			for k, v := range says {
				c.says[k] = v
			}
			b := boss.another()
			if got := c.come(b, way); got.code != http.StatusForbidden && got.code != http.StatusUnauthorized {
				t.Errorf("status %d, want it refused: %.1000s", got.code, got.body)
			}
			b.get("/account").leads(t, "/sign-in?next=%2Faccount")
		})
	}
}

// An attacker's answer must not sign anybody in to the attacker's account.
func TestAnswerOfAnotherBrowserIsRefused(t *testing.T) {
	h, c := newHouse(t), newCompany(t)
	boss := h.open(trusting(c)).boss()
	way := boss.employer(c, nil)
	attacker, victim := boss.another(), boss.another()
	begun, err := url.Parse(attacker.get(way).header.Get("Location"))
	h.must(err)
	c.asked = begun.Query()
	answer := way + "/answer?" + url.Values{"code": {"good"}, "state": {c.asked.Get("state")}}.Encode()
	victim.get(way) // has one of its own under way
	victim.get(answer).want(t, http.StatusUnauthorized, "was not begun in this browser")
	victim.get("/account").leads(t, "/sign-in?next=%2Faccount")
	other := boss.employer(c, url.Values{"name": {"Other"}})
	attacker.get(other+"/answer?"+c.asked.Encode()).want(t, http.StatusUnauthorized) // another provider's answer
	attacker.get(answer).want(t, http.StatusUnauthorized)                            // the try is spent
	attacker.get(way)
	attacker.get(way+"/answer?error=access_denied").want(t, http.StatusUnauthorized)
}

func TestCompanyThatIsAwayIsSaidSo(t *testing.T) {
	h, c := newHouse(t), newCompany(t)
	boss := h.open(trusting(c)).boss()
	way := boss.employer(c, nil)
	c.server.Close()
	boss.another().get(way).want(t, http.StatusServiceUnavailable, "Acme does not answer", "sign in another way")
	boss.another().get("/sign-in/company/nobody").want(t, http.StatusNotFound)
}

func TestNewcomersGetAnAccountWhereTheCompanyMayMakeOne(t *testing.T) {
	h, c := newHouse(t), newCompany(t)
	boss := h.open(trusting(c)).boss()
	way := boss.employer(c, url.Values{"role": {string(hosting.Customer)}, "package": {string(h.pack)}})
	c.says = map[string]any{"sub": "44", "email": "New@acme.example", "email_verified": "true", "name": "New Person"}
	b := boss.another()
	c.come(b, way+"?next=/sites").leads(t, "/sites")
	b.get("/account").want(t, http.StatusOK, "New Person", "new@acme.example")
	u, err := h.rules.Store.UserByEmail(t.Context(), "new@acme.example")
	h.must(err)
	if u.Role != hosting.Customer || u.Package != h.pack {
		t.Errorf("the newcomer is %+v, want a customer with the package", u)
	}
	h.must(h.rules.SuspendUser(t.Context(), h.boss, u.ID, true))
	if got := c.come(boss.another(), way); got.code != http.StatusForbidden {
		t.Errorf("a suspended account = %d, want %d", got.code, http.StatusForbidden)
	}
}

// The panel asks for its second factor, unless it was told that the provider does.
func TestSecondFactorIsAskedForUnlessTheCompanyAsks(t *testing.T) {
	h, c := newHouse(t), newCompany(t)
	boss := h.open(trusting(c), func(o *auth.Options) { o.SecondFactorFor = []hosting.Role{hosting.Administrator} })
	boss.secured(h.boss.ID)
	boss.signIn(h.boss.Email).leads(t, "/enrol?next=%2Fsites")
	boss.enrol("/enrol")
	way := boss.employer(c, nil)
	c.come(boss.another(), way).leads(t, "/sign-in/code?next=%2F")
	asks := boss.employer(c, url.Values{"name": {"Strict"}, "factor": {"1"}})
	b := boss.another()
	c.come(b, asks).leads(t, "/")
	b.get("/account").want(t, http.StatusOK)
}

// Whom a company sends is not asked for what stands beside a password where no code can be
// mailed, as long as their role needs none; who comes by password is. An application learns
// of both by the same rule.
func TestCompanysPeopleNeedNothingBesideAPassword(t *testing.T) {
	h, c := newHouse(t), newCompany(t)
	b := h.open(trusting(c), func(o *auth.Options) { o.PasswordAlone = false })
	b.secured(h.boss.ID)
	b.signIn(h.boss.Email).leads(t, "/enrol?next=%2Fsites")
	b.enrol("/enrol")
	way := b.employer(c, url.Values{"role": {string(hosting.Customer)}, "package": {string(h.pack)}})
	c.says = map[string]any{"sub": "44", "email": "new@acme.example", "email_verified": true, "name": "New Person"}
	newcomer := b.another()
	c.come(newcomer, way+"?next=/sites").leads(t, "/sites")
	newcomer.get("/account").want(t, http.StatusOK, "New Person")
	// The last factor may go, since there is no password that it would stand beside.
	newcomer.enrol("/account")
	newcomer.post("/account/code/remove", nil).leads(t, "/account")

	tool := b.tool("Grafana", hosting.Customer)
	tool.enter(newcomer).want(t, http.StatusOK, "Hello New Person")
	if _, err := tool.who(); err != nil {
		t.Errorf("the application is told nothing of who came by company: %v", err)
	}
	h.doors.SecondFactorFor = []hosting.Role{hosting.Customer}
	fresh := b.another()
	c.come(fresh, way+"?next=/sites").leads(t, "/enrol?next=%2Fsites")
}

func TestProvidersAreAdministered(t *testing.T) {
	h, c := newHouse(t), newCompany(t)
	boss := h.open(trusting(c)).boss()
	boss.get("/companies").want(t, http.StatusOK, "No provider yet")
	boss.get("/companies/new").want(t, http.StatusOK)
	boss.post("/companies", url.Values{"name": {""}, "issuer": {"http://plain.example"}, "domains": {"not a domain"}}).want(t, http.StatusUnprocessableEntity,
		"write it like https://", "The client&#39;s ID is empty", "secret is empty", "plain.example")
	boss.post("/companies", url.Values{"name": {"A"}, "issuer": {"https://a.example"}, "client": {"a"}, "secret": {"s"}}).want(t, http.StatusUnprocessableEntity, "Name the domains")
	way := boss.employer(c, nil)
	page := strings.Replace(way, "/sign-in/company/", "/companies/", 1)
	boss.get(page).want(t, http.StatusOK, panelURL+way+"/answer")
	// Without a secret the former stays.
	boss.post(page, url.Values{"name": {"Acme Ltd"}, "issuer": {c.server.URL}, "client": {"panel"}, "domains": {"provider.example"}}).leads(t, page)
	c.come(boss.another(), way).leads(t, "/")
	boss.get("/companies").want(t, http.StatusOK, "Acme Ltd")
	jo := boss.another()
	jo.secured(h.jo.ID)
	jo.signIn(h.jo.Email)
	for _, path := range []string{"/companies", "/companies/new", page} {
		if got := jo.get(path); got.code != http.StatusForbidden && got.code != http.StatusNotFound {
			t.Errorf("%s for a customer = %d, want it refused", path, got.code)
		}
	}
	if got := jo.post(page+"/delete", nil); got.code != http.StatusForbidden && got.code != http.StatusNotFound {
		t.Errorf("a customer removes a provider: %d", got.code)
	}
	boss.post(page+"/delete", url.Values{"confirm": {"Acme Ltd"}}).leads(t, "/companies")
	boss.another().get(way).want(t, http.StatusNotFound)
}
