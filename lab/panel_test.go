package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/pquerna/otp/totp"

	"kubepanel.io/kubepanel/lab/axe"
)

// panelHost is where the node puts the panel.
const panelHost = "panel.localhost"

// The people of the panel's journeys. A first administrator is there only once, so a later
// journey on the same machine comes by the way back for who has lost the second factor.
const (
	adaEmail    = "ada@provider.example"
	adaPassword = "correct horse battery staple"
	joPassword  = "seven purple bicycles sing"
)

// panelJourney is what the steps share.
type panelJourney struct {
	t       *testing.T
	cluster *cluster
	url     string
	axe     string
	// run tells this run's names from those of earlier ones.
	run string
}

func newPanelJourney(t *testing.T, c *cluster) *panelJourney {
	t.Helper()
	return &panelJourney{t: t, cluster: c, url: c.settings.Edge.URL(panelHost), axe: axe.Script(t), run: fmt.Sprint(time.Now().Unix())}
}

// link is what panel link prints, asked in the panel's pod.
func (p *panelJourney) link(args ...string) string {
	p.t.Helper()
	return strings.TrimSpace(run(p.t, "kubectl", append([]string{"--namespace", platformNamespace, "exec", "kubepanel-panel-0", "--",
		"/usr/local/bin/panel", "link", "--url", p.url}, args...)...).must(p.t))
}

// administrator comes by the first start's link, and where there was one, by the link for
// an administrator who has lost the second factor. Both lead to setting one up.
func (p *panelJourney) administrator(b *browser) {
	p.t.Helper()
	link := p.link()
	if link == "" {
		b.open(p.link("--for", adaEmail))
		b.until("the code is taken out of the address", `document.querySelector('#code').value.length > 20 && location.hash === ''`)
		b.write("#password", adaPassword)
		b.click("button[type=submit]")
		b.sees("#email")
		p.check(b, "sign-in")
		b.write("#email", adaEmail)
		b.write("#password", adaPassword)
		b.click("button[type=submit]")
		p.enrols(b)
		return
	}
	b.open(link)
	b.until("the code is taken out of the address", `document.querySelector('#code').value.length > 20 && location.hash === ''`)
	p.check(b, "first-start")
	b.write("#name", "Ada Provider")
	b.write("#email", adaEmail)
	b.write("#password", adaPassword)
	b.click("button[type=submit]")
	p.enrols(b)
	p.check(b, "after-the-first-start")
}

// enrols sets up an authenticator app, as the page tells that leads nowhere else.
func (p *panelJourney) enrols(b *browser) {
	p.t.Helper()
	b.sees(`form[action="/enrol/code"] button`)
	p.check(b, "second-factor")
	b.click(`form[action="/enrol/code"] button`)
	seed := b.sees("#seed")
	p.check(b, "authenticator-app")
	code, err := totp.GenerateCode(strings.TrimSpace(seed), time.Now())
	if err != nil {
		p.t.Fatalf("a code of the seed: %v", err)
	}
	b.write("#code", code+kb.Enter)
	b.sees(".codes")
	p.check(b, "recovery-codes")
	b.click(`main a[href="/"]`)
	b.sees(".places a")
}

func (p *panelJourney) pack(b *browser) {
	p.t.Helper()
	b.open(p.url + "/packages/new")
	p.check(b, "new-package")
	b.write("#name", "Starter "+p.run)
	b.until("no number of sites stands there", `(document.querySelector('#sites').value = '', true)`)
	b.write("#sites", "1")
	b.click("main form button[type=submit]")
	b.until("the package is in the list", `document.body.innerText.includes("Starter `+p.run+`")`)
	p.check(b, "packages")
}

// customer makes an account and returns the link with which it sets its password.
func (p *panelJourney) customer(b *browser) (link string) {
	p.t.Helper()
	b.open(p.url + "/users/new")
	p.check(b, "new-account")
	b.write("#name", "Jo Customer")
	b.write("#email", p.joEmail())
	b.click("#package")
	b.press("Starter " + p.run + kb.Enter)
	b.click("main form.form button[type=submit]")
	b.click(`form[action$="/link"] button`)
	link = b.sees("#link")
	p.check(b, "account")
	return link
}

func (p *panelJourney) joEmail() string { return "jo-" + p.run + "@shop.example" }

func (p *panelJourney) joins(b *browser, link string) {
	p.t.Helper()
	b.open(link)
	p.check(b, "set-password")
	b.write("#password", joPassword)
	b.click("button[type=submit]")
	b.write("#email", p.joEmail())
	b.write("#password", joPassword)
	b.click("button[type=submit]")
	p.enrols(b) // the panel sends no mail here, so a password is not enough
	b.sees("main")
	p.check(b, "no-site-yet")
}

// makesASite fills in one short form and watches the steps until the site is live.
func (p *panelJourney) makesASite(b *browser, s site) {
	p.t.Helper()
	b.open(p.url + "/sites/new")
	p.check(b, "new-site")
	b.write("#name", "not a name"+kb.Enter)
	b.until("the form says what is wrong", `document.querySelector('#name-fault')?.innerText.length > 0 && document.querySelector('#name').value === 'not a name'`)
	p.check(b, "new-site-refused")
	b.until("the field is empty", `(document.querySelector('#name').value = '', true)`) // as a person would, with one key less
	began := time.Now()
	b.write("#name", s.name+kb.Enter)
	b.until("the steps are shown", `document.querySelector('.steps li.running')`)
	p.check(b, "steps")
	b.until("the site is live", `document.querySelector('#state')?.innerText === 'Live'`)
	p.t.Logf("live in the browser after %.1f s", time.Since(began).Seconds())
	p.check(b, "site")
	b.click(`button[name=for][value=wordpress]`)
	if got, want := b.sees("#account-password"), s.secret(p.t, "wordpress-admin")["password"]; got != want {
		p.t.Errorf("the page shows a password of %d characters that is not WordPress'", len(got))
	}
	if page := p.cluster.newVisitor(p.t, "127.0.0.1").must(p.t, s.url()+"/"); !strings.Contains(page.body, "wp-") {
		p.t.Errorf("the site is not a WordPress: %.300s", page.body)
	}
}

// looks goes through what a customer sees, by keyboard too.
func (p *panelJourney) looks(b *browser, s site) {
	p.t.Helper()
	b.open(p.url + "/sites")
	p.check(b, "sites")
	b.click("[data-palette]")
	b.write("#palette input", "panelblog")
	b.until("the palette finds the site", `document.querySelector('#found a[aria-selected=true]')?.getAttribute('href') === '/sites/`+s.name+`'`)
	p.check(b, "palette")
	b.press(kb.Enter)
	b.until("the palette leads there", `location.pathname === '/sites/`+s.name+`'`)
	b.open(p.url + "/account")
	p.check(b, "own-account")
}

func (p *panelJourney) deletesIt(b *browser, s site) {
	p.t.Helper()
	b.open(p.url + "/sites/" + s.name + "/danger")
	p.check(b, "danger")
	b.until("nothing is deleted by one click", `document.querySelector('#delete-confirm').form.querySelector('button').disabled`)
	b.write("#delete-confirm", s.name)
	b.click(`form[action$="/delete"] button`)
	b.until("the deletion is shown", `document.querySelector('#state')?.innerText === 'Being deleted' || location.pathname === '/sites'`)
	b.until("the site is gone", `location.pathname === '/sites'`)
}

// pages looks at what only an administrator sees.
func (p *panelJourney) pages(b *browser) {
	p.t.Helper()
	b.open(p.url + "/users")
	p.check(b, "accounts")
}

// audited wants all of that in the trail, and the trail whole.
func (p *panelJourney) audited(b *browser) {
	p.t.Helper()
	b.open(p.url + "/audit")
	p.check(b, "audit")
	b.until("the deletion is in the trail", `document.body.innerText.includes('site.delete')`)
	told := run(p.t, "kubectl", "--namespace", platformNamespace, "exec", "kubepanel-panel-0", "--", "/usr/local/bin/panel", "audit", "verify").must(p.t)
	if !strings.Contains(told, "none missing") {
		p.t.Errorf("panel audit verify: %s", told)
	}
}

// check looks at a page as people have it: light and dark, on a laptop and a phone,
// from the left and from the right. It keeps a picture of each, and has axe-core look
// at those that differ in colour or layout.
func (p *panelJourney) check(b *browser, name string) {
	p.t.Helper()
	if shift := b.shifted(); shift.Sum > goodShift {
		p.t.Errorf("%s: the layout shifted by %.3f after it was shown:\n%s", name, shift.Sum, shift.What)
	}
	b.accessible(p.axe, name)
	b.shot(name)
	b.dress(windowWidth, windowHeight, "dark")
	b.accessible(p.axe, name+" in the dark")
	b.shot(name + "-dark")
	b.dress(390, 844, "light")
	b.accessible(p.axe, name+" on a phone")
	b.until(name+" fits a phone", `document.documentElement.scrollWidth <= 390`)
	b.shot(name + "-phone")
	b.dress(windowWidth, windowHeight, "light")
	b.until("the page reads from the right", `(document.documentElement.dir = 'rtl', true)`)
	b.shot(name + "-rtl")
	b.until("the page reads from the left", `(document.documentElement.dir = 'ltr', true)`)
}
