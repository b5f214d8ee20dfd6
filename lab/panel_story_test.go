package lab

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestPanelFromTheFirstStart is the panel's promise, told once from end to end: one link,
// and a provider has an administrator with a passkey, a package and a customer, who makes a
// WordPress site, watches it become live, changes a file, has a command run, reads what
// came of it, sees what it used, is told kindly that a second site is too much, and
// deletes the first.
func TestPanelFromTheFirstStart(t *testing.T) {
	c := openCluster(t)
	blog := c.expectSite(t, "panelblog.localhost")
	p := newPanelJourney(t, c)
	ada := newBrowser(t, "panel", c.ca)
	p.administrator(ada)
	p.passkey(ada)
	p.pack(ada)
	link := p.customer(ada)

	jo := ada.anonymous()
	p.joins(jo, link)
	p.makesASite(jo, blog)
	p.looks(jo, blog)
	blog.deposit(t, map[string]string{
		"note.txt": "a first line",
		"say.php":  `<?php error_log('the visitor said ' . ($_GET['say'] ?? 'nothing')); echo 'heard';`,
		"cron.php": `<?php echo 'counted ', 6 * 7, ' for ', $argv[1], "\n";`,
		"busy.php": `<?php for ($until = hrtime(true) + 150e6; hrtime(true) < $until;);`,
	})
	p.edits(jo, blog)
	p.visited(blog, "/busy.php")
	p.reads(jo, blog)
	p.schedules(jo, blog)
	p.measures(jo, blog)
	p.drains(jo)
	p.deletesIt(jo, blog)
	p.pages(ada)
	p.audited(ada)
}

// passkey signs in by one that the browser holds. It is taken away again, which the
// authenticator app beside it allows: the last second factor stays.
func (p *panelJourney) passkey(b *browser) {
	p.t.Helper()
	b.do("plug in an authenticator", func(ctx context.Context) error {
		return chromedp.Run(ctx, webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
				Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
			}).Do(ctx)
			return err
		}))
	})
	b.open(p.url + "/account")
	b.write("#passkey-name", "Laptop")
	b.click(`[data-passkey="/account/passkey"]`)
	b.sees(`button[name=passkey]`)
	p.check(b, "passkey")
	b.click(`form[action="/sign-out"] button`)
	b.click(`[data-passkey="/sign-in/passkey"]`)
	b.sees(".places a")
	b.open(p.url + "/account")
	b.click(`button[name=passkey]`)
	b.until("the passkey is gone", `document.querySelector('#passkey-name') && !document.querySelector('button[name=passkey]')`)
}

// edits changes a file, as a visitor sees.
func (p *panelJourney) edits(b *browser, s site) {
	p.t.Helper()
	b.open(p.fileURL(s, "", "/html"))
	b.sees("form.files")
	b.open(p.fileURL(s, "/edit", "/html/note.txt"))
	b.until("the cursor is in the editor", `document.querySelector('.editor')?.shadowRoot.activeElement`)
	b.press("typed in the panel before ")
	p.check(b, "editor")
	b.click("[data-save]")
	p.seen(s, "/note.txt", "typed in the panel before a first line")
}

// seen waits until a visitor reads something.
func (p *panelJourney) seen(s site, path, want string) {
	p.t.Helper()
	visitor := p.cluster.newVisitor(p.t, "127.0.0.53")
	eventually(p.t, "a visitor reads "+path, time.Minute, func(ctx context.Context) error {
		page, err := visitor.get(ctx, s.url()+path)
		if err == nil && !strings.Contains(fmt.Sprint(page.status, " ", page.body), want) {
			err = fmt.Errorf("%d %.200q", page.status, page.body)
		}
		return err
	})
}

// visited has somebody ask for a page three times a second until the test ends.
func (p *panelJourney) visited(s site, path string) {
	visitor := p.cluster.newVisitor(p.t, "127.0.0.54")
	ctx, stop := context.WithCancel(p.t.Context())
	gone := make(chan struct{})
	p.t.Cleanup(func() { stop(); <-gone })
	go func() {
		defer close(gone)
		again := time.NewTicker(time.Second / 3)
		defer again.Stop()
		for ctx.Err() == nil {
			// The site may have no pod at the moment, or be deleted: that is told elsewhere.
			if _, err := visitor.get(ctx, s.url()+path); err != nil && ctx.Err() != nil {
				return
			}
			<-again.C
		}
	}()
}

// reads finds what the program wrote, who came and what went wrong, and follows the log.
func (p *panelJourney) reads(b *browser, s site) {
	p.t.Helper()
	visitor := p.cluster.newVisitor(p.t, "127.0.0.51")
	at := p.url + "/sites/" + s.name + "/logs"
	says := func(what, text string) {
		p.t.Helper()
		b.until(what, fmt.Sprintf(`document.querySelector('#lines').innerText.includes(%q)`, text))
	}
	visitor.must(p.t, s.url()+"/say.php?say=good-morning")
	b.open(at)
	says("the program's line is there", "the visitor said good-morning")
	p.check(b, "logs")
	b.click("[data-follow]")
	b.until("the log is followed", `document.querySelector('[data-follow]').ariaPressed === 'true'`)
	visitor.must(p.t, s.url()+"/say.php?say=good-evening")
	says("a line comes by itself", "the visitor said good-evening")
	p.check(b, "logs-followed")
	b.open(at + "?source=access&q=SAY.PHP")
	says("the visit is among the requests", "say=good-evening")
	p.check(b, "logs-of-requests")
	b.open(at + "?source=access&q=hidden")
	b.click("[data-follow]")
	if _, err := visitor.get(p.t.Context(), s.url()+"/.hidden"); err != nil {
		p.t.Fatal(err)
	}
	says("what is not there is a warning", "404")
	b.until("and says so", `document.querySelector('#lines .warning b').innerText === 'Warning'`)
	b.open(at + "?source=error")
	b.until("the web server's own log has no request", `!document.querySelector('#lines').innerText.includes('say=good')`)
	b.open(at + "?q=evening&from=2020-01-01T00:00&to=2020-01-02T00:00")
	b.sees("[data-none]")
}

// schedules makes a cron job, wrong at first, has it run at once and reads its output.
func (p *panelJourney) schedules(b *browser, s site) {
	p.t.Helper()
	at := p.url + "/sites/" + s.name + "/cron"
	b.open(at)
	p.check(b, "no-cron-job")
	b.write("#name", "count")
	b.write("#schedule", "61 * * * *")
	b.write("#line", `php html/cron.php "$USERS"; echo done`)
	b.click("form.form button[type=submit]")
	b.sees("#schedule-fault")
	p.check(b, "cron-refused")
	b.until("the field is empty", `(document.querySelector('#schedule').value = '', true)`)
	b.write("#schedule", "30 4 * * *")
	b.click("form.form button[type=submit]")
	b.until("the cron job is in the list", `document.querySelector('#jobs td a')?.innerText === 'count'`)
	s.becomes(p.t, "CronJobsReady", "True", time.Minute)
	s.becomes(p.t, "Ready", "True", 2*time.Minute)

	b.open(at + "/count")
	b.click(`form[action$="/run"] button`)
	b.until("the run has succeeded", `document.querySelector('#jobs .badge[data-kind=good]')`)
	p.check(b, "cron-job")
	b.click(`#jobs td a`)
	b.until("its output is shown", `document.querySelector('#lines').innerText.includes('counted 42 for') && document.querySelector('#lines').innerText.includes('done')`)
	p.check(b, "cron-output")
	b.write("#delete-confirm", "count")
	b.click(`form[action$="/delete"] button`)
	b.until("there is no cron job any more", `document.querySelector('#jobs .empty')`)
}

// measures sees in the plot and in the list that the site is busy. An idle one takes
// thousandths of a core.
func (p *panelJourney) measures(b *browser, s site) {
	p.t.Helper()
	const busy = 0.05 // cores
	eventually(p.t, "the plot shows a busy site", 4*time.Minute, func(context.Context) error {
		b.open(p.url + "/sites/" + s.name + "/usage")
		text := b.read(`document.querySelector('[aria-labelledby=cpu-title] .number')?.innerText ?? 'no plot'`)
		newest, _, _ := strings.Cut(text, " ")
		if cores, err := strconv.ParseFloat(newest, 64); err != nil || cores < busy {
			return fmt.Errorf("it says %q", text)
		}
		return nil
	})
	b.until("there is a line", `document.querySelector('[aria-labelledby=cpu-title] polyline') && document.querySelector('[aria-labelledby=memory-title] polyline')`)
	p.check(b, "usage")
	// A span that has just begun, while the site had a new pod, has nothing measured in it yet.
	eventually(p.t, "the list shows a busy site", 4*time.Minute, func(context.Context) error {
		b.open(p.url + "/sites")
		text := b.read(fmt.Sprintf(`String(document.querySelector('progress[aria-label=%q]')?.value ?? 'nothing')`, "Processor of "+s.name))
		if percent, err := strconv.ParseFloat(text, 64); err != nil || percent < 100*busy {
			return fmt.Errorf("it says %s", text)
		}
		return nil
	})
}

// drains asks for more than the package has.
func (p *panelJourney) drains(b *browser) {
	p.t.Helper()
	b.open(p.url + "/sites/new")
	b.write("#name", "panelsecond.localhost"+kb.Enter)
	b.until("the page says what there is and what helps", `document.querySelector('main .note')?.innerText.includes('ask for a larger package')`)
	b.until("the form is as it was", `document.querySelector('#name').value === 'panelsecond.localhost'`)
	p.check(b, "quota-drained")
	if said := p.cluster.kubepanel(p.t, "site", "show", "panelsecond.localhost"); said.code == 0 {
		p.t.Errorf("a second site is there although the package has one: %s", said.stdout)
	}
}
