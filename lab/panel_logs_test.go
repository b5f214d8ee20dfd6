package lab

import (
	"fmt"
	"testing"
	"time"
)

// chattyPage writes into every log of its site.
const chattyPage = `<?php error_log('the visitor said ' . ($_GET['say'] ?? 'nothing')); echo 'heard';`

// TestPanelShowsWhatASiteSays: what a program writes, who came and what went wrong
// are on one page, which goes on by itself when it is told to.
func TestPanelShowsWhatASiteSays(t *testing.T) {
	c := openCluster(t)
	s := c.expectSite(t, "chatty.localhost")
	p := &panelJourney{t: t, cluster: c, url: c.settings.Edge.URL(panelHost), axe: axe(t), run: fmt.Sprint(time.Now().Unix())}
	ada := newBrowser(t, "panel-logs", c.ca)
	p.administrator(ada)
	p.makesAProgram(ada, s)
	s.deposit(t, map[string]string{"say.php": chattyPage})
	visitor := c.newVisitor(t, "127.0.0.51")
	visitor.must(t, s.url()+"/say.php?say=good-morning")

	at := p.url + "/sites/" + s.name + "/logs"
	says := func(what, text string) {
		t.Helper()
		ada.until(what, fmt.Sprintf(`document.querySelector('#lines').innerText.includes(%q)`, text))
	}
	ada.open(at)
	says("the program's line is there", "the visitor said good-morning")
	p.check(ada, "logs")
	ada.click("[data-follow]")
	ada.until("the log is followed", `document.querySelector('[data-follow]').ariaPressed === 'true'`)
	visitor.must(t, s.url()+"/say.php?say=good-evening")
	says("a line comes by itself", "the visitor said good-evening")
	p.check(ada, "logs-followed")
	ada.open(at + "?source=access&q=SAY.PHP")
	says("the visit is among the requests", "say=good-evening")
	p.check(ada, "logs-of-requests")
	ada.open(at + "?source=access&q=hidden")
	ada.click("[data-follow]")
	if _, err := visitor.get(t.Context(), s.url()+"/.hidden"); err != nil {
		t.Fatal(err)
	}
	says("what is not there is a warning", "404")
	ada.until("and says so", `document.querySelector('#lines .warning b').innerText === 'Warning'`)
	ada.open(at + "?source=error")
	ada.until("the web server's own log has no request", `!document.querySelector('#lines').innerText.includes('say=good')`)
	ada.open(at + "?q=evening&from=2020-01-01T00:00&to=2020-01-02T00:00")
	ada.sees("[data-none]")
}

// makesAProgram makes a PHP site by the form and waits until it is live.
func (p *panelJourney) makesAProgram(b *browser, s site) {
	p.t.Helper()
	b.open(p.url + "/sites/new")
	b.click(`.tile:has([value=php])`)
	b.write("#name", s.name)
	b.click("main form.form button[type=submit]")
	b.until("the site is live", `document.querySelector('#state')?.innerText === 'Live'`)
}
