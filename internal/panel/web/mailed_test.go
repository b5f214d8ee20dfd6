package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// mailing has new browsers asked for a code.
func mailing(o *auth.Options) { o.MailedCodes = true }

// mailed is the code of the next mail.
func (h *house) mailed() string {
	h.t.Helper()
	m := h.mail.Next(h.t)
	found := regexp.MustCompile(`\r\n(\d{4} \d{4})\r\n`).FindStringSubmatch(m.Text)
	if found == nil {
		h.t.Fatalf("the mail has no code: %s", m.Text)
	}
	return found[1]
}

// A new browser types the code of a mail, and goes on to where it was on the way.
func TestANewBrowserTypesAMailedCode(t *testing.T) {
	h := newHouse(t)
	b := h.open(mailing)
	b.secured(h.jo.ID)
	first := b.signIn(h.jo.Email)
	first.leads(t, "/sign-in/mailed?next=%2Fsites")
	if strings.Contains(strings.Join(first.header.Values("Set-Cookie"), " "), "__Host-browser-") {
		t.Error("the browser is known before the code")
	}
	code := h.mailed()
	b.get("/sign-in/mailed?next=%2Fsites").want(t, http.StatusOK, "A code is on its way to", h.jo.Email, `inputmode="numeric"`, `autocomplete="one-time-code"`, `name="next" value="/sites"`)
	b.get("/sites").leads(t, "/sign-in?next=%2Fsites")
	b.get("/enrol").leads(t, "/sign-in")
	b.post("/sign-in/code", url.Values{"code": {code}}).want(t, http.StatusUnauthorized, "You are not signed in.")
	b.post("/sign-in/mailed/again", url.Values{"next": {"/sites"}}).want(t, http.StatusTooManyRequests, "A code was mailed a moment ago.", `name="next" value="/sites"`)
	b.post("/sign-in/mailed", url.Values{"code": {"1234"}, "next": {"/sites"}}).want(t, http.StatusUnauthorized, "The code is wrong.", `name="next" value="/sites"`)
	b.another().post("/sign-in/mailed", url.Values{"code": {code}, "next": {"/sites"}}).leads(t, "/sign-in?next=%2Fsites")
	last := b.post("/sign-in/mailed", url.Values{"code": {code}, "next": {"/sites"}})
	last.leads(t, "/sites")
	cookie := ""
	for _, c := range last.header.Values("Set-Cookie") {
		if strings.HasPrefix(c, "__Host-browser-") {
			cookie = c
		}
	}
	for _, part := range []string{"; Path=/", "; Max-Age=2592000", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(cookie, part) || strings.Contains(cookie, "Domain=") {
			t.Errorf("Set-Cookie = %q, want %q in it and no domain", cookie, part)
		}
	}
	b.get("/sites").want(t, http.StatusOK, h.jo.Email)
	b.get("/sign-in/mailed").leads(t, "/sign-in?next=%2F")
	b.post("/sign-out", nil)
	b.signIn(h.jo.Email).leads(t, "/sites")
	trail, err := h.rules.Trail(t.Context(), h.boss, hosting.AuditQuery{})
	h.must(err)
	for _, e := range trail.Items {
		if digits := strings.ReplaceAll(code, " ", ""); strings.Contains(e.Object+e.Before+e.After, digits) {
			t.Errorf("the trail has the code: %+v", e)
		}
	}
	if strings.Contains(h.log.String(), strings.ReplaceAll(code, " ", "")) {
		t.Errorf("the log has the code: %s", h.log)
	}
}

func TestAnotherCodeIsMailedOnThePage(t *testing.T) {
	h := newHouse(t)
	b := h.open(mailing)
	b.secured(h.jo.ID)
	b.signIn(h.jo.Email)
	old := h.mailed()
	now := clock.Add(2 * time.Minute)
	h.rules.Now = func() time.Time { return now }
	b.post("/sign-in/mailed/again", nil).want(t, http.StatusOK, "Another code was mailed. Only that one counts.")
	fresh := h.mailed()
	b.post("/sign-in/mailed", url.Values{"code": {old}}).want(t, http.StatusUnauthorized, "Only that of the last mail counts.")
	h.mail.Refuse(&smtp.SMTPError{Code: 451, Message: "later"})
	now = now.Add(2 * time.Minute)
	b.post("/sign-in/mailed/again", nil).want(t, http.StatusServiceUnavailable, "mailed right now.", "Mail another code")
	b.post("/sign-in/mailed", url.Values{"code": {fresh}}).leads(t, "/") // no other was mailed, so it counts still
}

// Where the mail server is away the form comes again and says so.
func TestSignInSaysThatNoCodeCanBeMailed(t *testing.T) {
	h := newHouse(t)
	b := h.open(mailing)
	b.secured(h.jo.ID)
	h.mail.Refuse(&smtp.SMTPError{Code: 451, Message: "later"})
	b.signIn(h.jo.Email).want(t, http.StatusServiceUnavailable, "mailed right now. Try again in a few minutes", `action="/sign-in"`, h.jo.Email)
	b.get("/sign-in/mailed").leads(t, "/sign-in?next=%2F")
}

// An application that somebody was on the way to is reached through the code too.
func TestTheWayToAnApplicationLeadsThroughTheCode(t *testing.T) {
	h := newHouse(t)
	b := h.open(mailing)
	b.secured(h.jo.ID)
	const next = "/openid/authorize?client_id=tool&state=ours"
	b.post("/sign-in", url.Values{"email": {h.jo.Email}, "password": {password}, "next": {next}}).leads(t, "/sign-in/mailed?"+url.Values{"next": {next}}.Encode())
	b.post("/sign-in/mailed", url.Values{"code": {h.mailed()}, "next": {next}}).want(t, http.StatusOK, "/openid/authorize?client_id=tool")
	b = b.another()
	b.post("/sign-in", url.Values{"email": {h.jo.Email}, "password": {password}, "next": {"//evil.example"}}).leads(t, "/sign-in/mailed?next=%2F")
}

func TestBrowsersAreForgottenOnTheAccountsPage(t *testing.T) {
	h := newHouse(t)
	b := h.open(mailing)
	b.secured(h.jo.ID) // a browser that is known by its link
	b.signIn(h.jo.Email)
	b.post("/sign-in/mailed", url.Values{"code": {h.mailed()}}).leads(t, "/")
	page := b.get("/account")
	page.want(t, http.StatusOK, "Browsers that your account knows", "Forget all")
	ids := regexp.MustCompile(`name="browser" value="([0-9a-f]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(ids) != 2 {
		t.Fatalf("%d browsers are shown, want this one and that of the link", len(ids))
	}
	b.post("/account/browsers/forget", url.Values{"browser": {"another's"}}).want(t, http.StatusNotFound, "knows no such browser")
	b.post("/account/browsers/forget", url.Values{"browser": {ids[0][1]}}).leads(t, "/account")
	if page := b.get("/account"); strings.Contains(page.body, ids[0][1]) || strings.Contains(page.body, "Forget all") {
		t.Error("a forgotten browser is shown, or a button for all of one")
	}
	b.post("/account/browsers/forget", nil).leads(t, "/account")
	b.signIn(h.jo.Email).leads(t, "/sign-in/mailed?next=%2Fsites")
}

// Whom a company vouches for is asked for nothing that is mailed.
func TestACompanysPeopleTypeNoMailedCode(t *testing.T) {
	h, c := newHouse(t), newCompany(t)
	boss := h.open(trusting(c)).boss()
	way := boss.employer(c, nil)
	h.doors.MailedCodes = true
	boss.another().signIn(h.boss.Email).leads(t, "/sign-in/mailed?next=%2Fsites")
	c.come(boss.another(), way).leads(t, "/")
}
