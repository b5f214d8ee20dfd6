package main

import (
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

var seedOnPage = regexp.MustCompile(`id="seed"[^>]*>([A-Z2-7]+)<`)

// sends asks with a form, as a browser behind the edge would, and returns the answer's page,
// where it leads and the cookie that counts then.
func sends(t testing.TB, method, address, cookie string, form url.Values) (page, to, after string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Cookie", cookie)
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	must(t, err)
	defer answer.Body.Close() // it was read
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	for _, c := range answer.Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	return string(body), answer.Header.Get("Location"), cookie
}

// enrols sets up an authenticator app, as who must have a second factor does before
// anything else, and returns the session's cookie and the app's seed.
func enrols(t testing.TB, at, cookie string) (after, seed string) {
	t.Helper()
	page, _, cookie := sends(t, http.MethodPost, at+"/enrol/code", cookie, nil)
	found := seedOnPage.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("the page shows no seed: %.2000s", page)
	}
	code, err := totp.GenerateCode(found[1], time.Now())
	must(t, err)
	page, _, cookie = sends(t, http.MethodPost, at+"/enrol/code/confirm", cookie, url.Values{"code": {code}})
	if !strings.Contains(page, "Keep these recovery codes") {
		t.Fatalf("the page shows no recovery codes: %.2000s", page)
	}
	return cookie, found[1]
}

// reopen starts the panel anew on what it held, with other flags: an upgrade.
func (o *office) reopen(args ...string) *office {
	o.Helper()
	must(o, o.cmd.Process.Signal(syscall.SIGTERM))
	must(o, o.cmd.Wait())
	return o.open(args...)
}

// Who is from before a rule is not locked out by an upgrade: the session ends, the password
// leads to setting up a second factor, and from there to where it was before.
func TestAnUpgradeLeadsToASecondFactor(t *testing.T) {
	for rule, flags := range map[string][]string{"the role must have one": {"--password-alone"}, "a password is not enough": {"--second-factor-for="}} {
		t.Run(rule, func(t *testing.T) { leadsToASecondFactor(t, flags...) })
	}
}

// leadsToASecondFactor upgrades a panel that nobody had to have a second factor in.
func leadsToASecondFactor(t *testing.T, flags ...string) {
	t.Helper()
	town := newTown(t)
	before := town.open("--second-factor-for=", "--password-alone")
	link := before.links()
	_, code, _ := strings.Cut(link, "#")
	_, to, old := sends(t, http.MethodPost, "http://"+before.at+"/start", "", url.Values{"code": {code}, "name": {"Ada Provider"},
		"email": {"ada@provider.example"}, "password": {"correct horse battery staple"}})
	if to != "/" {
		t.Fatalf("the first start leads to %q, want the overview: nobody must have a second factor there", to)
	}
	o := before.reopen(flags...)
	if _, to, _ := sends(t, http.MethodGet, "http://"+o.at+"/users", old, nil); !strings.HasPrefix(to, "/sign-in") {
		t.Errorf("a session without a second factor leads to %q, want the sign-in", to)
	}
	_, to, cookie := sends(t, http.MethodPost, "http://"+o.at+"/sign-in", "", url.Values{"email": {"ada@provider.example"}, "password": {"correct horse battery staple"}})
	if to != "/enrol" {
		t.Fatalf("the password leads to %q, want /enrol", to)
	}
	cookie, _ = enrols(t, "http://"+o.at, cookie)
	if page, to, _ := sends(t, http.MethodGet, "http://"+o.at+"/users", cookie, nil); to != "" || !strings.Contains(page, "ada@provider.example") {
		t.Errorf("the accounts lead to %q: %.500s", to, page)
	}
}

// The last administrator has lost it all: a line on the node brings a link that leads back
// in, once.
func TestTheLastAdministratorComesBackByALineOnTheNode(t *testing.T) {
	town := newTown(t)
	o := town.open()
	o.signIn()
	const email = "ada@provider.example"
	if text, err := exec.CommandContext(t.Context(), o.program, "link", "--for", "nobody@provider.example", "--database", o.database, "--keys", o.keys).CombinedOutput(); err == nil || !strings.Contains(string(text), "There is no account") {
		t.Errorf("panel link --for nobody = %v %s, want it refused", err, text)
	}
	link := o.links("--for", email)
	page, code, _ := strings.Cut(link, "#")
	if page != "https://panel.localhost/password" || len(code) < 40 {
		t.Fatalf("panel link --for %s = %q, want the page that sets a password and a token", email, link)
	}
	at := "http://" + o.at
	if _, to, _ := sends(t, http.MethodGet, at+"/users", o.cookie, nil); to != "" {
		t.Errorf("a link that nobody followed ended the session: it leads to %q", to)
	}
	form := url.Values{"code": {code}, "password": {theirPassword}}
	if _, to, _ := sends(t, http.MethodPost, at+"/password", "", form); to != "/sign-in" {
		t.Fatalf("the link leads to %q, want the sign-in", to)
	}
	if page, _, _ := sends(t, http.MethodPost, at+"/password", "", form); !strings.Contains(page, "used already") {
		t.Errorf("the link a second time: %.1000s", page)
	}
	if _, to, _ := sends(t, http.MethodGet, at+"/users", o.cookie, nil); !strings.HasPrefix(to, "/sign-in") {
		t.Errorf("a session of before leads to %q, want the sign-in", to)
	}
	_, to, cookie := sends(t, http.MethodPost, at+"/sign-in", "", url.Values{"email": {email}, "password": {theirPassword}})
	if to != "/enrol" {
		t.Fatalf("the new password leads to %q, want /enrol", to)
	}
	cookie, _ = enrols(t, at, cookie)
	text, _, _ := sends(t, http.MethodGet, at+"/audit", cookie, nil)
	for _, did := range []string{"recover.made", "factors.taken", "totp.added"} {
		if !strings.Contains(text, did) {
			t.Errorf("the trail has no %s", did)
		}
	}
}
