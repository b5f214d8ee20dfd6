package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// tokenShown is the text of a new token in its page.
var tokenShown = regexp.MustCompile(`<code id="token"[^>]*>(kp_[\w-]{40,})</code>`)

func TestATokenIsShownOnceAndGoodForWhatWasChosen(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	b.get("/account/tokens").want(t, http.StatusOK, "No tokens yet", "Make the token")
	tests := map[string]struct {
		form      url.Values
		has, lack hosting.Right
	}{
		"to look": {url.Values{"name": {"look"}, "days": {"7"}, "reach": {"look"}, "scope": {"site.delete"}}, hosting.RightSiteView, hosting.RightSiteDelete},
		"all":     {url.Values{"name": {"everything"}, "days": {"365"}, "reach": {"all"}}, hosting.RightSiteDelete, hosting.RightSelfChange},
		"chosen":  {url.Values{"name": {"some"}, "days": {"1"}, "reach": {"chosen"}, "scope": {"site.view", "site.logs"}}, hosting.RightSiteLogs, hosting.RightSiteChange},
	}
	for what, test := range tests {
		page := b.post("/account/tokens", test.form)
		page.want(t, http.StatusOK, "shown this once", `data-copy="token"`, test.form.Get("name"))
		shown := tokenShown.FindStringSubmatch(page.body)
		if shown == nil {
			t.Fatalf("%s: the page shows no token: %.3000s", what, page.body)
		}
		if again := b.get("/account/tokens"); strings.Contains(again.body, shown[1]) {
			t.Errorf("%s: the token is shown again", what)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, panelURL+"/sites", http.NoBody)
		h.must(err)
		r.Header.Set("Authorization", "Bearer "+shown[1])
		r, err = h.doors.Bearer(r)
		h.must(err)
		a, ok := auth.ActorOf(r.Context())
		if !ok || !hosting.Can(a, test.has, hosting.Object{Owner: a.ID}) || hosting.Can(a, test.lack, hosting.Object{Owner: a.ID}) {
			t.Errorf("%s: the token may do %v, want %s and not %s", what, a.Scopes, test.has, test.lack)
		}
	}
}

func TestATokenIsRevoked(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	page := b.post("/account/tokens", url.Values{"name": {"robot"}, "days": {"7"}, "reach": {"look"}})
	id := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(page.body)
	if id == nil {
		t.Fatalf("the page lists no token: %.3000s", page.body)
	}
	b.post("/account/tokens/revoke", url.Values{"token": {id[1]}}).leads(t, "/account/tokens")
	b.get("/account/tokens").want(t, http.StatusOK, "No tokens yet")
	b.post("/account/tokens/revoke", url.Values{"token": {id[1]}}).want(t, http.StatusNotFound)
	b.get("/audit").want(t, http.StatusOK, "token.made", "token.revoked")
}

func TestAWrongTokenFormComesBackFilledIn(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	b.post("/account/tokens", url.Values{"name": {"ci"}, "days": {"many"}, "reach": {"chosen"}}).
		want(t, http.StatusUnprocessableEntity, `value="ci"`, "Choose an end within a year.", "Choose what the token is good for.")
	b.post("/account/tokens", url.Values{"name": {"ci"}, "days": {"30"}, "reach": {"chosen"}, "scope": {"self.change"}}).
		want(t, http.StatusUnprocessableEntity, "A token can&#39;t be good for")
	b.get("/account/tokens").want(t, http.StatusOK, "No tokens yet")
}

// Who signed in long ago says the password in the same form, and loses nothing of it.
func TestATokenAsksForThePasswordOnceMore(t *testing.T) {
	h := newHouse(t)
	now := clock
	h.rules.Now = func() time.Time { return now }
	b := h.open().boss()
	now = now.Add(time.Hour)
	form := url.Values{"name": {"nightly"}, "days": {"90"}, "reach": {"look"}}
	b.post("/account/tokens", form).want(t, http.StatusUnauthorized, "This needs your password once more.", `value="nightly"`, `name="password"`, `value="90" selected`)
	form.Set("password", "wrong")
	b.post("/account/tokens", form).want(t, http.StatusUnauthorized, "The password is wrong.", `value="nightly"`)
	form.Set("password", password)
	b.post("/account/tokens", form).want(t, http.StatusOK, "shown this once")
}

// Support sees a customer's tokens and makes none.
func TestSupportMakesNoToken(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	b.post("/users/"+string(h.jo.ID)+"/act-as", nil).leads(t, "/")
	if page := b.get("/account/tokens"); page.code != http.StatusOK || strings.Contains(page.body, "Make the token") {
		t.Errorf("the page for support = %d, want it without a form", page.code)
	}
	b.post("/account/tokens", url.Values{"name": {"mine"}, "days": {"30"}, "reach": {"all"}}).want(t, http.StatusForbidden)
	kept, err := h.rules.Store.Tokens(t.Context(), h.jo.ID, hosting.TokenAPI)
	if err != nil || len(kept) != 0 {
		t.Errorf("the customer has %d tokens, %v, want none", len(kept), err)
	}
}
