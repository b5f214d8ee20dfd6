package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kubepanel.io/kubepanel/lab/axe"
)

// chosen is the line of the palette that Enter takes, by the id that a screen reader is told.
const chosen = `(id => id ? document.getElementById(id)?.innerText ?? "" : "")(document.querySelector("#palette input").getAttribute("aria-activedescendant"))`

// The palette opens by a key, is used without a mouse, and fits in every dress.
func TestPaletteByKeyboard(t *testing.T) {
	town := newTown(t)
	town.grow(20)
	o := town.open()
	o.signIn()
	w, script := o.window(), axe.Script(t)
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		w.open("/")
		w.press("k")
		w.until(`String(document.querySelectorAll("#found [role=option]").length > 10)`, "true")
		w.fits(script, "palette-all", d)
		w.typed(townSite(7))
		w.until(`document.querySelector("#found [role=option]")?.getAttribute("href") ?? ""`, "/sites/"+townSite(7))
		w.fits(script, "palette-site", d)
	}
	w.dress(1366, 900, "light", "en")
	w.open("/")
	w.press("k")
	w.typed(townSite(7))
	w.until(`document.querySelector("#found [role=option]")?.getAttribute("href") ?? ""`, "/sites/"+townSite(7))
	w.do(chromedp.KeyEvent(kb.ArrowDown))
	w.until(chosen+`.split("\n")[0].trim()`, "Files")
	w.do(chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.Enter))
	w.until("location.pathname", "/sites/"+townSite(7))

	w.press("k")
	w.typed("sign out")
	w.until(chosen+".trim()", "Sign out")
	w.do(chromedp.KeyEvent(kb.Enter))
	w.until("location.pathname", "/sign-in")
}

// press presses a letter together with Ctrl.
func (w *window) press(letter string) {
	w.Helper()
	w.do(chromedp.WaitReady("#palette", chromedp.ByQuery), chromedp.KeyEvent(letter, chromedp.KeyModifiers(2)))
}

// typed writes in the palette in place of what was there.
func (w *window) typed(text string) {
	w.Helper()
	w.do(chromedp.WaitVisible("#palette input", chromedp.ByQuery), chromedp.KeyEvent(text))
}

// until waits for what the page answers.
func (w *window) until(ask, want string) {
	w.Helper()
	got := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got = w.read(ask); got == want {
			return
		}
	}
	w.Fatalf("%.60s is %q, want %q", strings.TrimSpace(ask), got, want)
}
