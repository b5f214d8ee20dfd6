package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"kubepanel.io/kubepanel/internal/hosting"
)

// ear is an application's address for sessions that end, with the verification that many
// applications are made of.
type ear struct {
	*tool

	listens *httptest.Server
	status  int
	heard   []*oidc.LogoutToken
	raw     []string
}

// listen has an application be told of sessions that end.
func (a *tool) listen(inside bool, roles ...string) *ear {
	a.h.t.Helper()
	e := &ear{tool: a, status: http.StatusOK}
	e.listens = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw := r.PostFormValue("logout_token")
		token, err := a.verify.VerifyLogout(a.context(), raw)
		if err != nil || r.Method != http.MethodPost {
			a.h.t.Errorf("a logout token does not verify: %v", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		e.heard, e.raw = append(e.heard, token), append(e.raw, raw)
		w.WriteHeader(e.status)
	}))
	a.h.t.Cleanup(e.listens.Close)
	form := url.Values{"name": {"Grafana"}, "redirects": {a.server.URL + "/callback"}, "logout": {e.listens.URL + "/logout"}, "roles": roles}
	if inside {
		form.Set("inside", "1")
	}
	a.boss.post(a.page, form).leads(a.h.t, a.page)
	return e
}

// tell has the panel tell what there is.
func (e *ear) tell() {
	e.h.t.Helper()
	e.h.must(e.h.openID.TellLogouts(e.h.t.Context()))
}

func TestApplicationIsToldWhenASessionEnds(t *testing.T) {
	for name, end := range sessionEnds() {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			boss := h.open().boss()
			e := boss.tool("Grafana", hosting.Customer).listen(true, "administrator", "customer")
			quiet := boss.tool("Quiet", hosting.Customer) // has no such address
			b := boss.another()
			b.secured(h.jo.ID)
			b.signIn(h.jo.Email).leads(t, "/sites")
			e.enter(b).want(t, http.StatusOK, "Hello Jo")
			e.enter(b).want(t, http.StatusOK, "Hello Jo") // twice from one session is one logout
			jo := e.said
			quiet.enter(b).want(t, http.StatusOK, "Hello Jo")
			if quiet.said.Session == "" || quiet.said.Session == jo.Session {
				t.Errorf("the sid is %q for one application and %q for another, want two", jo.Session, quiet.said.Session)
			}
			e.enter(boss).want(t, http.StatusOK, "Hello Ada")
			e.tell()
			if len(e.heard) != 0 {
				t.Fatalf("%d sessions are told to have ended, want none yet", len(e.heard))
			}
			end(h, b)
			e.tell()
			e.tell()
			if len(e.heard) != 1 {
				t.Fatalf("%d sessions are told to have ended, want Jo's once", len(e.heard))
			}
			if got := e.heard[0]; got.Subject != jo.Subject || got.SessionID != jo.Session || got.Expiry.Sub(got.IssuedAt) > 2*time.Minute || got.TokenID == "" {
				t.Errorf("the application is told %+v, want the session %s of %s for two minutes", got, jo.Session, jo.Subject)
			}
			signed, err := jose.ParseSigned(e.raw[0], []jose.SignatureAlgorithm{jose.RS256})
			h.must(err)
			if kind := signed.Signatures[0].Header.ExtraHeaders[jose.HeaderType]; kind != "logout+jwt" {
				t.Errorf("typ = %v, want what no token of another kind has", kind)
			}
			boss.get("/audit").want(t, http.StatusOK, "application.sign-out", "application Grafana")
		})
	}
}

func TestAnApplicationInsideIsToldIfAnAdministratorAllowedIt(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	e := boss.tool("Grafana", hosting.Administrator).listen(false, "administrator")
	now := clock
	h.rules.Now = func() time.Time { return now }
	b := boss.another()
	b.signIn(h.boss.Email)
	e.enter(b).want(t, http.StatusOK, "Hello")
	b.post("/sign-out", nil)
	e.tell()
	if len(e.heard) != 0 {
		t.Fatal("an address of this computer was reached without an administrator's word")
	}
	boss.post(e.page, url.Values{"name": {"Grafana"}, "redirects": {e.server.URL + "/callback"}, "logout": {e.listens.URL}, "inside": {"1"}, "roles": {"administrator"}}).leads(t, e.page)
	e.tell()
	if len(e.heard) != 0 {
		t.Error("it was tried again at once")
	}
	now = now.Add(5 * time.Second)
	if e.tell(); len(e.heard) != 1 {
		t.Errorf("once that is allowed it is told %d times, want once", len(e.heard))
	}
}

func TestAnApplicationThatNeverAnswersIsGivenUp(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	e := boss.tool("Grafana", hosting.Administrator).listen(true, "administrator")
	e.status = http.StatusServiceUnavailable
	now := clock
	h.rules.Now = func() time.Time { return now }
	b := boss.another()
	b.signIn(h.boss.Email)
	e.enter(b).want(t, http.StatusOK, "Hello")
	b.post("/sign-out", nil)
	for range 48 { // two days
		e.tell()
		now = now.Add(time.Hour)
	}
	if n := len(e.heard); n < 4 || n > 10 {
		t.Errorf("it was tried %d times, want a handful", n)
	}
	ids := []string{}
	for _, one := range e.heard {
		ids = append(ids, one.TokenID)
	}
	if slices.Sort(ids); len(slices.Compact(ids)) != len(e.heard) {
		t.Errorf("%d tries had %d identifiers, want one each", len(e.heard), len(slices.Compact(ids)))
	}
	_, err := h.rules.Store.Logout(t.Context(), e.said.Session)
	if hosting.CodeOf(err) != hosting.NotFound {
		t.Errorf("the logout is kept: %v", err)
	}
	trail, err := h.rules.Trail(t.Context(), h.boss, hosting.AuditQuery{Did: "application.sign-out-failed"})
	h.must(err)
	if len(trail.Items) != 1 || !strings.Contains(trail.Items[0].After, "503") {
		t.Errorf("the trail says %+v, want that it was given up with the status", trail.Items)
	}
}

func TestBadAddressesOfLogoutsAreRefused(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	good := url.Values{"name": {"Grafana"}, "redirects": {"https://grafana.example/login"}, "roles": {"administrator"}}
	with := func(more url.Values) url.Values {
		form := url.Values{}
		for _, v := range []url.Values{good, more} {
			for name, values := range v {
				form[name] = values
			}
		}
		return form
	}
	const say = "write a whole address like https://grafana.example.com/logout/backchannel"
	for _, bad := range []string{"grafana", "http://grafana.example/logout", "https://", "https://a:b@grafana.example/", "https://grafana.example/#x", "ftp://grafana.example/"} {
		boss.post("/applications", with(url.Values{"logout": {bad}})).want(t, http.StatusUnprocessableEntity, say)
	}
	boss.post("/applications", with(url.Values{"logout": {"https://grafana.example/logout"}, "public": {"1"}})).want(t, http.StatusUnprocessableEntity, "leave the address out")
	boss.post("/applications", with(url.Values{"logout": {"http://grafana.tools.svc:3000/logout"}, "inside": {"1"}})).want(t, http.StatusOK, "it is shown this once")
}

func TestThePanelSaysThatItTellsOfSessionsThatEnd(t *testing.T) {
	h := newHouse(t)
	boss := h.open().boss()
	a := boss.tool("Grafana", hosting.Administrator)
	var says struct {
		Supported bool `json:"backchannel_logout_supported"`
		Session   bool `json:"backchannel_logout_session_supported"`
	}
	h.must(a.known.Claims(&says))
	if !says.Supported || !says.Session {
		t.Errorf("discovery = %+v, want both", says)
	}
}
