package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"kubepanel.io/kubepanel/internal/panel/mail/mailtest"
	"kubepanel.io/kubepanel/lab/axe"
)

// A customer is known in the browser that followed the link, and types a mailed code in
// another one. The page for it fits, stands still, and axe-core finds nothing on it.
func TestANewBrowserIsAskedForAMailedCode(t *testing.T) {
	post := mailtest.Start(t, false)
	town := newTown(t)
	town.grow(10)
	o := town.open("--mail=" + post.Folder)
	email := "customer-7@shop.example"
	o.person().joins(o.links("--for", email), email, home)
	if n := post.Waiting(); n != 0 {
		t.Errorf("%d mails were sent to who came by a link, want none", n)
	}

	p, script := o.person(), axe.Script(t)
	p.goes("/sign-in")
	p.fills([2]string{"email", email}, [2]string{"password", theirPassword})
	p.sees("Is it you?")
	found := regexp.MustCompile(`\r\n(\d{4} \d{4})\r\n`).FindStringSubmatch(post.Next(t).Text)
	if found == nil {
		t.Fatal("the mail has no code")
	}
	for _, d := range dresses() {
		p.dress(d.width, d.height, d.theme, d.language)
		p.stands("/sign-in/mailed", "sign-in-mailed", script, d)
		p.do(chromedp.Click(`button[formaction="/sign-in/mailed/again"]`, chromedp.ByQuery))
		p.do(chromedp.WaitVisible(`[role="alert"], .note`, chromedp.ByQuery))
		p.fits(script, "sign-in-mailed-again", d)
	}
	p.dress(1366, 900, "light", "en")
	p.goes("/sign-in/mailed?next=/account")
	p.fills([2]string{"code", found[1]})
	p.sees("Browsers that your account knows")
	for _, d := range dresses() {
		p.dress(d.width, d.height, d.theme, d.language)
		p.stands("/account", "account-signing-in", script, d)
		p.do(chromedp.ScrollIntoView("#browsers-title", chromedp.ByQuery))
		p.keep("account-browsers-" + d.name)
	}
	p.goes("/sign-in?again=1")
	p.fills([2]string{"email", email}, [2]string{"password", theirPassword})
	p.dress(1366, 900, "light", "en")
	p.goes("/")
	p.sees(home)
	if n := post.Waiting(); n != 0 {
		t.Errorf("%d mails were sent to a known browser, want none", n)
	}
	if log := o.log.String(); strings.Contains(log, strings.ReplaceAll(found[1], " ", "")) {
		t.Errorf("the log has the code: %s", log)
	}
}

// stands opens a page that fits and does not move.
func (p person) stands(path, name, script string, d dress) {
	p.Helper()
	if shift := p.open(path); shift > 0.001 {
		p.Errorf("%s in %s: the layout shifted by %.3f", name, d.name, shift)
	}
	p.fits(script, name, d)
}
