package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
)

func TestSignInAndOut(t *testing.T) {
	h := newHouse(t)
	b := h.open()
	b.get("/sites").leads(t, "/sign-in?next=%2Fsites")
	b.secured(h.boss.ID)
	b.post("/sign-in", url.Values{"email": {h.boss.Email}, "password": {"wrong"}}).want(t, http.StatusUnauthorized, "The address or the password is wrong.", h.boss.Email)
	b.signIn(h.boss.Email).leads(t, "/sites")
	b.get("/sites").want(t, http.StatusOK, h.boss.Email)
	b.get("/sign-in?next=/users").leads(t, "/users")
	out := b.post("/sign-out", nil)
	out.leads(t, "/sign-in")
	if !strings.Contains(out.header.Get("Clear-Site-Data"), "storage") {
		t.Errorf("Clear-Site-Data = %q, want that the browser forgets", out.header.Get("Clear-Site-Data"))
	}
	b.get("/sites").leads(t, "/sign-in?next=%2Fsites")
}

func TestAuthenticatorIsSetUpAndAskedFor(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	b.get("/account").want(t, http.StatusOK, "Set it up", "This one")
	seed, page := b.enrol("/account")
	page.want(t, http.StatusOK, "Keep these recovery codes")
	recovery := shownCode.FindAllStringSubmatch(page.body, -1)
	if len(recovery) != 10 {
		t.Fatalf("%d recovery codes are shown, want 10", len(recovery))
	}
	if again := b.get("/account"); strings.Contains(again.body, recovery[0][1]) {
		t.Error("the recovery codes are shown again")
	}
	other := b.another()
	other.signIn(h.boss.Email).leads(t, "/sign-in/code?next=%2Fsites")
	other.get("/sites").leads(t, "/sign-in?next=%2Fsites")
	other.post("/sign-in/code", url.Values{"code": {h.code(seed, 0)}}).want(t, http.StatusUnauthorized, "The code is wrong or was used already") // it was, to set it up
	other.post("/sign-in/code", url.Values{"code": {recovery[0][1]}, "next": {"/sites"}}).leads(t, "/sites")
	b.post("/account/code/remove", nil).leads(t, "/account")
	b.get("/account").want(t, http.StatusOK, "Set it up")
	if page := b.get("/account"); strings.Contains(page.body, "recovery codes") {
		t.Errorf("who has no second factor is shown recovery codes: %s", page.body)
	}
	b.post("/account/recovery-codes", nil).want(t, http.StatusConflict, "no second factor that recovery codes could stand in for")
}

var shownCode = regexp.MustCompile(`<code>([a-z2-7]{4}(?:-[a-z2-7]{4})+)</code>`)

func TestRecoveryCodesAreMadeAnewWhileSomeAreLeft(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	_, page := b.enrol("/account")
	former := shownCode.FindAllStringSubmatch(page.body, -1)
	for left := 9; left >= 3; left-- {
		other := b.another()
		other.signIn(h.boss.Email).leads(t, "/sign-in/code?next=%2Fsites")
		other.post("/sign-in/code", url.Values{"code": {former[left][1]}, "next": {"/sites"}}).leads(t, "/sites")
		shown := b.get("/account")
		shown.want(t, http.StatusOK, "Recovery codes left: "+strconv.Itoa(left), "Make new recovery codes")
		if few := strings.Contains(shown.body, "Few are left"); few != (left <= 3) {
			t.Errorf("with %d codes left the hint that few are is shown: %t", left, few)
		}
	}
	page = b.post("/account/recovery-codes", nil)
	page.want(t, http.StatusOK, "the former ones count no more", "Recovery codes left: 10", `download="recovery-codes.txt"`)
	fresh := shownCode.FindAllStringSubmatch(page.body, -1)
	if len(fresh) != 10 {
		t.Fatalf("%d new recovery codes are shown, want 10", len(fresh))
	}
	if again := b.get("/account"); strings.Contains(again.body, fresh[0][1]) {
		t.Error("the new recovery codes are shown again")
	}
	var told []hosting.MailKind
	for m, err := h.rules.Store.DueMail(t.Context(), clock); err == nil; m, err = h.rules.Store.DueMail(t.Context(), clock) {
		if m.User != h.boss.ID {
			t.Errorf("the mail to be sent = %+v, want one that tells the owner", m)
		}
		told = append(told, m.Kind)
		h.must(h.rules.Store.Write(t.Context(), func(tx hosting.Tx) error { return tx.DeleteMail(t.Context(), m.ID) }))
	}
	slices.Sort(told)
	if !slices.Equal(told, []hosting.MailKind{hosting.MailAppAdded, hosting.MailCodes}) {
		t.Errorf("the owner is told of %q, want of the app and of the new codes", told)
	}
	other := b.another()
	other.signIn(h.boss.Email).leads(t, "/sign-in/code?next=%2Fsites")
	other.post("/sign-in/code", url.Values{"code": {former[0][1]}}).want(t, http.StatusUnauthorized)
	other.post("/sign-in/code", url.Values{"code": {fresh[0][1]}, "next": {"/sites"}}).leads(t, "/sites")

	now := clock.Add(16 * time.Minute)
	h.rules.Now = func() time.Time { return now }
	b.post("/account/recovery-codes", nil).want(t, http.StatusUnauthorized, "This needs your password once more.")
}

func TestAWrongFirstCodeKeepsTheSeed(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	page := b.post("/account/code", nil)
	seed := regexp.MustCompile(`id="seed"[^>]*>([A-Z2-7]+)<`).FindStringSubmatch(page.body)[1]
	b.post("/account/code/confirm", url.Values{"code": {"x00000"}}).want(t, http.StatusUnauthorized, "The code is wrong", seed)
	b.post("/account/code/confirm", url.Values{"code": {h.code(seed, 0)}}).want(t, http.StatusOK, "Keep these recovery codes")
}

func TestPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	other := b.another()
	other.signIn(h.boss.Email).leads(t, "/sites")
	const fresh = "another horse battery staple"
	b.post("/account/password", url.Values{"password": {"wrong"}, "new-password": {fresh}}).want(t, http.StatusUnauthorized, "The password is wrong.")
	b.post("/account/password", url.Values{"password": {password}, "new-password": {"short"}}).want(t, http.StatusUnprocessableEntity, "too short")
	b.post("/account/password", url.Values{"password": {password}, "new-password": {fresh}}).leads(t, "/account")
	b.get("/account").want(t, http.StatusOK)
	other.get("/account").leads(t, "/sign-in?next=%2Faccount") // all others ended
	other.signIn(h.boss.Email).want(t, http.StatusUnauthorized)
}

func TestSessionsAreSeenAndEnded(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	other := b.another()
	other.signIn(h.boss.Email).leads(t, "/sites")
	session := regexp.MustCompile(`name="session" value="([^"]+)"`)
	own, others := "", []string{}
	for part := range strings.SplitSeq(b.get("/account").body, "</form>") {
		found := session.FindStringSubmatch(part)
		switch {
		case found == nil:
		case strings.Contains(part, "This one"):
			own = found[1]
		default:
			others = append(others, found[1])
		}
	}
	if own == "" || len(others) != 1 {
		t.Fatalf("this session %q and others %q are shown, want it and one", own, others)
	}
	b.post("/account/sessions/end", url.Values{"session": {others[0]}}).leads(t, "/account")
	other.get("/account").leads(t, "/sign-in?next=%2Faccount")
	b.post("/account/sessions/end", url.Values{"session": {own}}).leads(t, "/account")
	b.get("/account").leads(t, "/sign-in?next=%2Faccount")
}

func TestEndingAnotherBrowserWantsThePasswordOnceMore(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	own, err := h.rules.Store.Sessions(t.Context(), h.boss.ID)
	h.must(err)
	other := b.another()
	other.signIn(h.boss.Email).leads(t, "/sites")
	now := clock.Add(16 * time.Minute)
	h.rules.Now = func() time.Time { return now }
	all, err := h.rules.Store.Sessions(t.Context(), h.boss.ID)
	h.must(err)
	another := slices.IndexFunc(all, func(s hosting.Session) bool { return s.ID != own[0].ID })
	end := url.Values{"session": {all[another].ID}}
	b.post("/account/sessions/end", end).want(t, http.StatusUnauthorized, "This needs your password once more.")
	other.get("/account").want(t, http.StatusOK)
	b.post("/account/confirm", url.Values{"password": {password}}).leads(t, "/account")
	b.post("/account/sessions/end", end).leads(t, "/account")
	other.get("/account").leads(t, "/sign-in?next=%2Faccount")
}

func TestAnAdministratorEndsSomebodysSessions(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	jo := b.another()
	jo.secured(h.jo.ID)
	jo.signIn(h.jo.Email).leads(t, "/sites")
	end := "/users/" + string(h.jo.ID) + "/sign-out"
	if got := jo.post("/users/"+string(h.boss.ID)+"/sign-out", nil); got.code != http.StatusNotFound {
		t.Errorf("a customer who ends the administrator's sessions = %d, want %d", got.code, http.StatusNotFound)
	}
	b.get("/users/"+string(h.jo.ID)).want(t, http.StatusOK, `action="`+end+`"`)
	b.post(end, nil).leads(t, "/users/"+string(h.jo.ID))
	jo.get("/account").leads(t, "/sign-in?next=%2Faccount")
	b.get("/audit").want(t, http.StatusOK, "sessions.ended", h.jo.Email)
	jo.signIn(h.jo.Email).leads(t, "/sites")
}

// Who has lost the second factor gets a way back from an administrator's page, which wants
// the account's address and the administrator's own password.
func TestAnAdministratorTakesALostFactorAway(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	jo := b.another()
	jo.secured(h.jo.ID)
	jo.signIn(h.jo.Email).leads(t, "/sites")
	page, action := "/users/"+string(h.jo.ID), "/users/"+string(h.jo.ID)+"/factors"
	if got := b.get(page); strings.Contains(got.body, `action="`+action+`"`) {
		t.Error("the page would take away what is not there")
	}
	jo.enrol("/account")
	b.get(page).want(t, http.StatusOK, `action="`+action+`"`, "Authenticator app: On")
	meant := url.Values{"confirm": {" Jo@Shop.example "}, "password": {password}}
	jo.post("/users/"+string(h.boss.ID)+"/factors", meant).want(t, http.StatusNotFound)
	b.post(action, url.Values{"confirm": {"al@shop.example"}, "password": {password}}).want(t, http.StatusUnprocessableEntity, "to say that you mean this account")
	b.post(action, url.Values{"confirm": {h.jo.Email}, "password": {"wrong"}}).want(t, http.StatusUnprocessableEntity, "The password is wrong.")
	jo.get("/account").want(t, http.StatusOK)
	b.post(action, meant).leads(t, page+"?factors-gone=1")
	b.get(page+"?factors-gone=1").want(t, http.StatusOK, "sets up a second factor then")
	jo.get("/account").leads(t, "/sign-in?next=%2Faccount")
	b.get("/audit").want(t, http.StatusOK, "user.factors", h.jo.Email)
	jo.signIn(h.jo.Email).leads(t, "/enrol?next=%2Fsites")
	jo.get("/sites").leads(t, "/enrol?next=%2Fsites")
	jo.enrol("/enrol")
	jo.get("/sites").want(t, http.StatusOK)
}

// Who is refused something is in the log, by whom and what.
func TestRefusalsAreInTheLog(t *testing.T) {
	h := newHouse(t)
	b := h.open()
	b.secured(h.jo.ID)
	b.signIn(h.jo.Email).leads(t, "/sites")
	b.get("/sites").want(t, http.StatusOK)
	if strings.Contains(h.log.String(), "refused") {
		t.Errorf("what was done is in the log as refused: %s", h.log)
	}
	var watched []auth.Refusal
	h.doors.Watch = func(r auth.Refusal) { watched = append(watched, r) }
	for path, code := range map[string]string{"/companies": "forbidden", "/users/" + string(h.boss.ID): "not_found"} {
		h.log.Reset()
		b.get(path)
		if n := len(watched); n == 0 || string(watched[n-1].Code) != code || watched[n-1].Actor.ID != h.jo.ID || strings.Contains(watched[n-1].Doing, string(h.boss.ID)) {
			t.Errorf("%s: %+v was told, want that it was refused, to whom, and the route", path, watched)
		}
		if line := h.log.String(); !strings.Contains(line, "msg=refused code="+code) || !strings.Contains(line, "actor="+string(h.jo.ID)) {
			t.Errorf("%s: the log says %q, want that it was refused, and to whom", path, line)
		}
	}
}

func TestPasskeyIsAddedAndSignsIn(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	rp := virtualwebauthn.RelyingParty{ID: "example.com", Name: "Kubepanel", Origin: panelURL}
	holder, key := virtualwebauthn.NewAuthenticator(), paneltest.NewPasskey()
	options := b.post("/account/passkey", nil)
	options.want(t, http.StatusOK)
	made, err := virtualwebauthn.ParseAttestationOptions(options.body)
	h.must(err)
	holder.Options.UserHandle = []byte(made.UserID)
	b.send(http.MethodPost, "/account/passkey/answer?name=Strongbox", "application/json", virtualwebauthn.CreateAttestationResponse(rp, holder, key, *made)).
		want(t, http.StatusOK, "The passkey is there. Keep these recovery codes", `href="/"`)
	holder.AddCredential(key)
	page := b.get("/account")
	page.want(t, http.StatusOK, "Strongbox", "Recovery codes left: 10")

	other := b.another()
	asked, err := virtualwebauthn.ParseAssertionOptions(other.post("/sign-in/passkey", nil).body)
	h.must(err)
	word := virtualwebauthn.CreateAssertionResponse(rp, holder, key, *asked)
	other.send(http.MethodPost, "/sign-in/passkey/answer", "application/json", word).want(t, http.StatusNoContent)
	other.get("/account").want(t, http.StatusOK, "Strongbox")
	b.another().send(http.MethodPost, "/sign-in/passkey/answer", "application/json", word).want(t, http.StatusUnauthorized, "was not accepted")

	id := regexp.MustCompile(`name="passkey" value="([^"]+)"`).FindStringSubmatch(page.body)[1]
	b.post("/account/passkey/remove", url.Values{"passkey": {id}}).leads(t, "/account")
	if strings.Contains(b.get("/account").body, "Strongbox") {
		t.Error("the removed passkey is shown")
	}
}

func TestSupportUsesAnAccountUnderABanner(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	b.post("/users/"+string(h.jo.ID)+"/act-as", nil).leads(t, "/")
	b.get("/account").want(t, http.StatusOK, "are using the account of Jo Customer", "jo@shop.example")
	for path, form := range map[string]url.Values{
		"/account/code":           nil,
		"/account/passkey":        nil,
		"/account/recovery-codes": nil,
		"/account/password":       {"password": {password}, "new-password": {"another horse battery staple"}},
	} {
		if got := b.post(path, form); got.code != http.StatusForbidden {
			t.Errorf("%s by support = %d, want %d", path, got.code, http.StatusForbidden)
		}
	}
	b.post("/act-as/end", nil).leads(t, "/users")
	b.get("/account").want(t, http.StatusOK, h.boss.Email)
	jo := b.another()
	jo.secured(h.jo.ID)
	jo.signIn(h.jo.Email).leads(t, "/sites")
	if got := jo.post("/users/"+string(h.boss.ID)+"/act-as", nil); got.code != http.StatusNotFound {
		t.Errorf("a customer who would be the administrator = %d, want %d", got.code, http.StatusNotFound)
	}
}

func TestForgottenPasswordIsAskedForOnAPage(t *testing.T) {
	h := newHouse(t)
	b := h.open()
	b.get("/sign-in").want(t, http.StatusOK, `href="/forgot"`)
	b.get("/forgot").want(t, http.StatusOK)
	known := b.post("/forgot", url.Values{"email": {"boss@provider.example"}})
	unknown := b.post("/forgot", url.Values{"email": {"nobody@provider.example"}})
	known.want(t, http.StatusOK, "If there is an account of this address")
	if known.body != unknown.body || known.code != unknown.code {
		t.Errorf("the answers differ for an account and for none: %s\n%s", known.body, unknown.body)
	}
	b.post("/forgot", url.Values{"email": {"nobody"}}).want(t, http.StatusUnprocessableEntity, "is not a mail address")
}

func TestNewAccountIsInvitedByMail(t *testing.T) {
	h := newHouse(t)
	to := h.post("/users", url.Values{"name": {"New"}, "email": {"new@shop.example"}, "role": {string(hosting.Customer)}, "package": {string(h.pack)}}).header.Get("Location")
	if !strings.HasSuffix(to, "?mailed=1") {
		t.Fatalf("a new account leads to %q", to)
	}
	h.get(to).want(t, http.StatusOK, "A mail to new@shop.example is on its way", "Mail an invitation")
	m, err := h.rules.Store.DueMail(t.Context(), clock)
	h.must(err)
	if m.Kind != hosting.MailInvite || to != "/users/"+string(m.User)+"?mailed=1" || m.Language != "en" {
		t.Errorf("the mail to be sent = %+v", m)
	}
}

// Whoever must have a second factor gets nothing but the way to one.
func TestWhoMustHaveASecondFactorGetsNothingElse(t *testing.T) {
	h := newHouse(t)
	b := h.open(func(o *auth.Options) { o.SecondFactorFor = []hosting.Role{hosting.Administrator} })
	b.secured(h.boss.ID)
	b.signIn(h.boss.Email).leads(t, "/enrol?next=%2Fsites")
	b.get("/").leads(t, "/enrol")
	for _, path := range []string{"/sites", "/account", "/users", "/audit"} {
		b.get(path).leads(t, "/enrol?next="+url.QueryEscape(path))
	}
	b.post("/sites", newSiteForm("a.example")).leads(t, "/enrol")
	b.post("/account/password", url.Values{"password": {password}, "new-password": {"another horse battery staple"}}).leads(t, "/enrol")
	b.get("/enrol").want(t, http.StatusOK, "Set up an authenticator app", "Add a passkey")
	seed, page := b.enrol("/enrol")
	page.want(t, http.StatusOK, "Keep these recovery codes", `href="/"`)
	b.get("/sites").want(t, http.StatusOK)
	b.get("/enrol").leads(t, "/")
	if h.cluster.Len() != 0 {
		t.Error("a site was made before there was a second factor")
	}
	jo := b.another()
	jo.secured(h.jo.ID)
	jo.signIn(h.jo.Email).leads(t, "/sites") // another role
	jo.get("/enrol").leads(t, "/")
	other := b.another()
	other.get("/enrol").leads(t, "/sign-in")
	other.signIn(h.boss.Email).leads(t, "/sign-in/code?next=%2Fsites")
	other.post("/sign-in/code", url.Values{"code": {h.code(seed, 30*time.Second)}, "next": {"/sites"}}).leads(t, "/sites")
}

func TestSeedIsShownAsAPicture(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	page := b.post("/account/code", nil)
	page.want(t, http.StatusOK, `<svg class="qr" role="img" aria-label="QR code of the key below"`, "h1v1h-1z")
}

func TestSessionCookieIsForThisHostAlone(t *testing.T) {
	h := newHouse(t)
	b := h.open()
	b.secured(h.boss.ID)
	cookie := b.signIn(h.boss.Email).header.Get("Set-Cookie")
	for _, part := range []string{"__Host-session=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("Set-Cookie = %q, want %q in it", cookie, part)
		}
	}
	if strings.Contains(cookie, "Domain=") {
		t.Errorf("Set-Cookie = %q, which other hosts get", cookie)
	}
}

func TestEveryAnswerKeepsToHTTPS(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	for _, path := range []string{"/", "/sites", "/account", "/nowhere", "/sign-in", "/companies"} {
		head := b.get(path).header
		for name, part := range map[string]string{"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Content-Security-Policy": "frame-ancestors 'none'", "Cache-Control": "no-store"} {
			if !strings.Contains(head.Get(name), part) {
				t.Errorf("%s of %s = %q, want %q", name, path, head.Get(name), part)
			}
		}
		if got := head.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("Access-Control-Allow-Origin of %s = %q, want none", path, got)
		}
		if kind := head.Get("Content-Type"); kind != "text/html; charset=utf-8" && head.Get("Location") == "" {
			t.Errorf("Content-Type of %s = %q", path, kind)
		}
	}
}

func TestPasswordFieldsAreForPasswords(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	fields := regexp.MustCompile(`<input[^>]*name="(?:new-)?password"[^>]*>`)
	seen := 0
	for _, page := range []string{b.get("/account").body, b.another().get("/sign-in").body, b.another().get("/password").body, b.another().get("/start").body} {
		for _, f := range fields.FindAllString(page, -1) {
			seen++
			if !strings.Contains(f, `type="password"`) || !strings.Contains(f, "-password\"") || strings.Contains(f, "onpaste") {
				t.Errorf("%s has no type or no autocomplete of a password", f)
			}
		}
	}
	if seen < 5 {
		t.Errorf("%d fields were looked at, want five and more", seen)
	}
}

func TestConfirmingStartsANewSession(t *testing.T) {
	h := newHouse(t)
	b := h.open().boss()
	at, err := url.Parse(panelURL)
	h.must(err)
	before := b.client.Jar.Cookies(at)
	b.post("/account/confirm", url.Values{"password": {password}}).leads(t, "/account")
	b.get("/account").want(t, http.StatusOK)
	old := b.another()
	old.client.Jar.SetCookies(at, before)
	old.get("/account").leads(t, "/sign-in?next=%2Faccount")
}

// The language in which somebody has the panel is that of their mails, also while they still
// have to set a second factor up.
func TestAPageNotesItsReadersLanguage(t *testing.T) {
	h := newHouse(t)
	b := h.open()
	b.secured(h.boss.ID)
	b.secured(h.jo.ID)
	noted := func(id hosting.ID) string {
		t.Helper()
		login, err := h.rules.Store.Login(t.Context(), id)
		h.must(err)
		return login.Language
	}
	b.signIn(h.boss.Email).leads(t, "/sites")
	b.get("/sites").want(t, http.StatusOK)
	if got := noted(h.boss.ID); got != "en" {
		t.Errorf("a page in English notes %q", got)
	}
	b.post("/look", url.Values{"language": {"ar"}, "next": {"/sites"}}).leads(t, "/sites")
	b.get("/sites").want(t, http.StatusOK, `lang="ar"`)
	if got := noted(h.boss.ID); got != "ar" {
		t.Errorf("after Arabic was chosen %q is noted", got)
	}
	h.doors.SecondFactorFor = []hosting.Role{hosting.Customer}
	jo := b.another()
	jo.post("/look", url.Values{"language": {"de"}, "next": {"/sign-in"}}).leads(t, "/sign-in")
	jo.signIn(h.jo.Email).leads(t, "/enrol?next=%2Fsites")
	if got := noted(h.jo.ID); got != "" {
		t.Errorf("the sign-in itself notes %q", got)
	}
	jo.get("/enrol").want(t, http.StatusOK, `lang="de"`)
	if got := noted(h.jo.ID); got != "de" {
		t.Errorf("the page that sets a second factor up notes %q, want de", got)
	}
}
