package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/lab/axe"
)

// chromium is Debian's; without it these tests are left out.
const chromium = "/usr/bin/chromium"

// picturesVariable names a folder for pictures of all pages; without it none are kept.
const picturesVariable = "PANEL_PICTURES"

// window is a real browser before a panel, signed in as its administrator.
type window struct {
	*office

	ctx context.Context
}

func (o *office) window() *window {
	o.Helper()
	if _, err := exec.LookPath(chromium); err != nil {
		o.Skip("there is no " + chromium)
	}
	home := o.TempDir()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, // root has no sandbox
		chromedp.Env("HOME="+home), chromedp.UserDataDir(filepath.Join(home, "profile")), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.WSURLReadTimeout(time.Minute))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeWindow := chromedp.NewContext(allocator)
	o.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // its home can only be removed then
		closeWindow()
		stop()
	})
	w := &window{office: o, ctx: ctx}
	name, value, _ := strings.Cut(o.cookie, "=")
	w.do(chromedp.ActionFunc(func(ctx context.Context) error {
		return network.SetCookie(name, value).WithURL("https://" + o.at).WithSecure(true).WithPath("/").WithHTTPOnly(true).Do(ctx)
	}))
	return w
}

func (w *window) do(actions ...chromedp.Action) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	if w.ctx.Value(started{}) == nil { // the first run starts the browser, which must not end with a timeout
		ctx, w.ctx = w.ctx, context.WithValue(w.ctx, started{}, true)
	}
	must(w, chromedp.Run(ctx, actions...))
}

type started struct{}

// dress chooses size, theme and language.
func (w *window) dress(width, height int64, theme, language string) {
	w.Helper()
	w.do(chromedp.EmulateViewport(width, height),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}),
		chromedp.ActionFunc(func(ctx context.Context) error {
			return network.SetCookie("language", language).WithURL("https://" + w.at).WithPath("/").Do(ctx)
		}))
}

// open shows a page, and returns how much of it moved by itself (Cumulative Layout
// Shift, web.dev/cls) once its fonts are there.
func (w *window) open(path string) (shift float64) {
	w.Helper()
	w.do(chromedp.Navigate("http://" + w.at + path))
	return w.shifted()
}

// shifted is how much of the page moved by itself since it was opened.
func (w *window) shifted() (shift float64) {
	w.Helper()
	const ask = `document.fonts.ready.then(() => new Promise(done => { let sum = 0;
		new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; }).observe({type: 'layout-shift', buffered: true});
		setTimeout(() => done(sum), 100); }))`
	w.do(chromedp.Evaluate(ask, &shift, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return shift
}

// faults are what axe-core finds wrong with the page. The debugger's door is not bound
// by the page's policy.
func (w *window) faults(script string) (found []string) {
	w.Helper()
	w.do(chromedp.Evaluate(script, nil), chromedp.Evaluate(axe.Ask, &found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return found
}

func (w *window) read(expression string) (value string) {
	w.Helper()
	w.do(chromedp.Evaluate(expression, &value))
	return value
}

// keep keeps a picture where they are wanted.
func (w *window) keep(name string) {
	w.Helper()
	folder := os.Getenv(picturesVariable)
	if folder == "" {
		return
	}
	must(w, os.MkdirAll(folder, 0o755))
	w.do(chromedp.ActionFunc(func(ctx context.Context) error {
		picture, err := page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatWebp).WithQuality(70).Do(ctx)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, name+".webp"), picture, 0o644)
	}))
}

// No page moves under a reader's eyes, none is wider than a phone, axe-core finds nothing
// on any, and each is shown in every dress: light, dark, on a phone, from right to left.
func TestPagesStandStillAndFit(t *testing.T) {
	town := newTown(t)
	town.grow(60)
	town.measure()
	town.write(func(ctx context.Context, tx hosting.Tx) error { // who can lose something
		return tx.PutLogin(ctx, &hosting.Login{User: townUser(7), TOTP: []byte("JBSWY3DPEHPK3PXP")})
	})
	must(t, town.runs(8, "python", "3.13"))
	harmful := town.harm(7)
	o := town.open("--scanner=tcp://127.0.0.1:1") // which is away
	o.signIn()
	w, script, more := o.window(), axe.Script(t), append(town.nodes(), "/sites/"+townSite(8)+"/settings", "/sites?runtime=python", "/sites?state=happy", "/sites?q=site-000&state=suspended", harmful)
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		for _, path := range append(o.pages(), more...) {
			if isFile(path) {
				continue
			}
			w.stands(path, script, d)
		}
	}
}

// Between a phone and a wide window too, what an empty field asks for can be read.
func TestPlaceholdersAreNotCutOff(t *testing.T) {
	town := newTown(t)
	town.grow(1)
	o := town.open()
	o.signIn()
	w := o.window()
	for _, language := range []string{"en", "de", "ar"} {
		for _, width := range []int64{390, 800, 1000, 1100, 1280} {
			w.dress(width, 900, "light", language)
			for _, path := range []string{"/audit", "/sites", "/users"} {
				w.open(path)
				if cut := w.read(cutHolders); cut != "" {
					t.Errorf("%s in %s at %d pixels: no room in their fields have %s", path, language, width, cut)
				}
			}
		}
	}
}

// stands opens a page and looks at all that is asked of each in a dress.
func (w *window) stands(path, script string, d dress) {
	w.Helper()
	w.looks(path, script, d)
	if at := w.read("location.pathname"); strings.HasPrefix(at, "/sign-in") {
		w.Fatalf("%s led to %s: the browser is not signed in", path, at)
	}
}

// looks is stands for who may not be signed in.
func (w *window) looks(path, script string, d dress) {
	w.Helper()
	shift := w.open(path)
	if shift > 0.001 {
		w.Errorf("%s in %s: the layout shifted by %.3f", path, d.name, shift)
	}
	if width := w.read("String(document.documentElement.scrollWidth)"); width > fmt.Sprint(d.width) && len(width) >= len(fmt.Sprint(d.width)) {
		w.Errorf("%s in %s is %s pixels wide, want %d", path, d.name, width, d.width)
	}
	if tab := w.read(hiddenTab); tab != "" {
		w.Errorf("%s in %s: the tab %q, where one is, can't be seen", path, d.name, tab)
	}
	if out := w.read(outside); out != "" {
		w.Errorf("%s in %s: %s juts out of what it is in", path, d.name, out)
	}
	if cut := w.read(cutHolders); cut != "" {
		w.Errorf("%s in %s: no room in their fields have %s", path, d.name, cut)
	}
	if again := w.read(repeatedIDs); again != "" {
		w.Errorf("%s in %s has more than once the ids %s", path, d.name, again)
	}
	if !isPart(path) {
		for _, fault := range w.faults(script) {
			w.Errorf("%s in %s: %s", path, d.name, fault)
		}
	}
	if d.language == "ar" {
		for _, text := range w.turned() {
			w.Errorf("%s in %s shows %s turned round", path, d.name, text)
		}
	}
	w.keep(pictureName(path) + "-" + d.name)
}

// dress is how somebody sees a page.
type dress struct {
	name            string
	width, height   int64
	theme, language string
}

func dresses() []dress {
	return []dress{{"light", 1366, 900, "light", "en"}, {"dark", 1366, 900, "dark", "de"}, {"phone", 390, 844, "light", "en"}, {"rtl", 1366, 900, "light", "ar"}}
}

// What an administrator is led through after the first start, before there is any other
// page: it fits, and axe-core finds nothing on it.
func TestSettingUpASecondFactorFits(t *testing.T) {
	o := newTown(t).open()
	o.begin()
	w, script := o.window(), axe.Script(t)
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		w.open("/enrol")
		w.fits(script, "enrol", d)
		w.do(chromedp.Submit(`form[action="/enrol/code"] button`, chromedp.ByQuery), chromedp.WaitVisible("#seed", chromedp.ByQuery))
		w.fits(script, "enrol-code", d)
	}
}

// What web.Pages does not name is seen in every dress too: the ways in, for who is not
// signed in, and what says that something is not there, not allowed or broken.
func TestTheWaysInAndFaultsStandStillAndFit(t *testing.T) {
	town := newTown(t)
	o := town.open()
	o.signIn()
	w, script := o.window(), axe.Script(t)
	p := o.person()
	p.goes("/sign-in")
	p.fills([2]string{"email", "ada@provider.example"}, [2]string{"password", "correct horse battery staple"})
	p.sees("authenticator")
	w.forbidden(script)
	// Without its table, a page that needs it breaks. The whole trail has a picture of its own.
	const broken = "/audit?did=site.change"
	db, err := sql.Open("sqlite", strings.TrimPrefix(town.database, "sqlite:"))
	must(t, err)
	_, err = db.ExecContext(t.Context(), "PRAGMA busy_timeout = 5000; ALTER TABLE trail RENAME TO lost")
	must(t, errors.Join(err, db.Close()))
	alone := o.person()
	ways := []string{"/sign-in", "/forgot", "/password", "/start", "/sign-in/mailed"}
	for _, d := range dresses() {
		p.dress(d.width, d.height, d.theme, d.language)
		p.looks("/sign-in/code", script, d)
		alone.dress(d.width, d.height, d.theme, d.language)
		for _, path := range ways {
			alone.looks(path, script, d)
		}
		w.dress(d.width, d.height, d.theme, d.language)
		for _, path := range []string{"/nowhere", "/companies/none", "/applications/none", "/sites/none.example", broken} {
			w.stands(path, script, d)
			want := "404"
			if path == broken {
				want = "500"
			}
			if got := w.read(responded); got != want {
				t.Errorf("%s = %s, want the page of a fault with %s", path, got, want)
			}
		}
	}
}

// forbidden looks at the page that says so, as a customer in whose name the administrator
// works for so long.
func (w *window) forbidden(script string) {
	w.Helper()
	w.open("/users/" + string(townUser(7)))
	w.do(chromedp.Submit(`form[action$="/act-as"] button`, chromedp.ByQuery), chromedp.WaitReady(".banner", chromedp.ByQuery))
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		w.stands("/companies", script, d)
		if got := w.read(responded); got != "403" {
			w.Errorf("/companies = %s for a customer, want the page that says so with 403", got)
		}
	}
	w.open("/")
	w.do(chromedp.Submit(`form[action="/act-as/end"] button`, chromedp.ByQuery), chromedp.WaitNotPresent(".banner", chromedp.ByQuery))
}

// responded is the status that a page came with.
const responded = `String(performance.getEntriesByType("navigation")[0].responseStatus)`

// An entry of the trail opens to what changed, in every dress, with long values too.
func TestAnEntryOfTheTrailOpensAndFits(t *testing.T) {
	town := newTown(t)
	town.write(func(ctx context.Context, tx hosting.Tx) error {
		return tx.Append(ctx, &hosting.Entry{At: time.Now(), Actor: townUser(1), ActorName: "Customer 1", Behind: "ada", BehindName: "Ada Provider", Address: "2001:db8::1", Did: "site.change",
			Object: "shop.example", Before: `{"domainName":"shop.example","php":{"memory":"256M"},"aliases":["a.example"]}`,
			After: `{"domainName":"shop.example","php":{"memory":"512M"},"aliases":["a.example","b.example"],"webserver":{"customConfig":"` + strings.Repeat("location~x", 60) + `"}}`})
	})
	o := town.open()
	o.signIn()
	w, script := o.window(), axe.Script(t)
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		w.open("/audit?did=site.change")
		w.do(chromedp.Click(".entry summary", chromedp.ByQuery), chromedp.WaitVisible(".changes", chromedp.ByQuery))
		w.fits(script, "audit-entry", d)
		if d.language == "ar" {
			for _, text := range w.turned() {
				t.Errorf("an entry in %s shows %s turned round", d.name, text)
			}
		}
	}
}

// New recovery codes fit, are saved as a file of ten lines by a real browser, under the
// page's policy, and are all that a printer gets.
func TestNewRecoveryCodesFitAndAreSaved(t *testing.T) {
	o := newTown(t).open()
	o.signIn()
	w, script, folder := o.window(), axe.Script(t), t.TempDir()
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		w.open("/account")
		w.do(chromedp.Submit(`form[action="/account/recovery-codes"] button`, chromedp.ByQuery), chromedp.WaitVisible(".codes", chromedp.ByQuery))
		w.fits(script, "account-recovery-codes", d)
	}
	w.do(browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(folder),
		chromedp.Click(`a[download]`, chromedp.ByQuery))
	saved := ""
	for until := time.Now().Add(10 * time.Second); len(strings.Fields(saved)) != 10 && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		data, _ := os.ReadFile(filepath.Join(folder, "recovery-codes.txt")) // it comes when it is whole
		saved = string(data)
	}
	if shown := w.read(`document.querySelector(".codes").textContent`); saved != shown {
		t.Errorf("the file has %q, the page shows %q", saved, shown)
	}
	w.do(emulation.SetEmulatedMedia().WithMedia("print"))
	if seen := w.read(`[...document.querySelectorAll("h1, .note b, .note a, .codes code")].filter(e => getComputedStyle(e).visibility === "visible").map(e => e.textContent + "\n").join("")`); seen != saved {
		t.Errorf("a printer gets %q, want the codes alone: %q", seen, saved)
	}
}

// fits looks at a page that is there.
func (w *window) fits(script, name string, d dress) {
	w.Helper()
	if w.read("String(document.documentElement.scrollWidth > innerWidth)") == "true" {
		w.Errorf("%s in %s is wider than the window of %d pixels", name, d.name, d.width)
	}
	for _, fault := range w.faults(script) {
		w.Errorf("%s in %s: %s", name, d.name, fault)
	}
	w.keep(name + "-" + d.name)
}

// hiddenTab is the text of a page's own tab where that is not in sight.
const hiddenTab = `[...document.querySelectorAll(".tabs [aria-current]")].filter(tab => {
	const [at, strip] = [tab.getBoundingClientRect(), tab.parentElement.getBoundingClientRect()];
	return at.left < strip.left - 1 || at.right > strip.right + 1;
}).map(tab => tab.textContent).join()`

// outside is what reaches into the margin of the card or the list that it stands in, or over
// its neighbour in the trail above the page, and is not in something of its own that scrolls.
const outside = `[...document.querySelectorAll(".card-body, .side-foot, .crumbs li")].flatMap(box => {
	const at = box.getBoundingClientRect(), style = getComputedStyle(box);
	const left = at.left + parseFloat(style.paddingLeft) - 1, right = at.right - parseFloat(style.paddingRight) + 1;
	const hides = e => e !== box && (getComputedStyle(e).overflowX !== "visible" || hides(e.parentElement));
	return [...box.querySelectorAll("*")].filter(e => {
		const r = e.getBoundingClientRect();
		return r.width > 1 && r.height > 1 && (r.left < left || r.right > right) && e.checkVisibility() && !hides(e.parentElement);
	}).map(e => e.tagName + "." + e.className + " " + e.textContent.trim().slice(0, 40));
}).join("; ")`

// cutHolders are the texts in empty fields that are wider than their field.
const cutHolders = `(() => {
	const pen = document.createElement("canvas").getContext("2d");
	return [...document.querySelectorAll("main input[placeholder]:placeholder-shown")].filter(field => {
		const style = getComputedStyle(field);
		pen.font = style.font;
		return field.checkVisibility() && pen.measureText(field.placeholder).width > field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
	}).map(field => JSON.stringify(field.placeholder)).join();
})()`

// repeatedIDs are the ids of a page that more than one element has. Axe looks at those
// alone that something else on the page names.
const repeatedIDs = `[...document.querySelectorAll("[id]")].map(e => e.id).filter((id, i, ids) => ids.indexOf(id) !== i).join()`

// turned are the pieces of a page that are written from left to right and not shown so:
// amounts such as "1.7 GiB", paths, commands. Of each the page is asked where its letters are.
func (w *window) turned() (found []string) {
	w.Helper()
	w.do(chromedp.Evaluate(turned, &found))
	return found
}

// turned looks at what begins and ends with a sign of ASCII and has a Latin letter, without
// the punctuation of the sentence that it stands in. Two letters on one line whose order is
// not that of the text are one too many.
const turned = `(() => {
	const found = new Set(), piece = /[!-~]+(?:[ \u00a0][!-~]+)*/g;
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node; (node = texts.nextNode());) {
		if (["SCRIPT", "STYLE", "TEXTAREA", "OPTION"].includes(node.parentElement.tagName)) continue;
		for (const m of node.data.matchAll(piece)) {
			if (/\p{L}/u.test(node.data[m.index - 1] ?? "")) continue; // the end of a name in Arabic
			const from = m[0].match(/^(?:[(":;,\s]|\.(?=\s))*/)[0].length, to = m[0].replace(/[)":;,.!?\s]+$/, "").length;
			if (!/[A-Za-z]/.test(m[0].slice(from, to))) continue;
			const range = document.createRange();
			let last;
			for (let i = from; i < to; i++) {
				range.setStart(node, m.index + i);
				range.setEnd(node, m.index + i + 1);
				const [at] = range.getClientRects();
				if (!at || at.width === 0) continue;
				if (last && Math.abs(at.top - last.top) < 2 && at.left < last.left - 1) {
					found.add(JSON.stringify(m[0].slice(from, to)));
					break;
				}
				last = at;
			}
		}
	}
	return [...found];
})()`

// isPart tells what only stands in other pages.
func isPart(path string) bool {
	return strings.HasPrefix(path, "/palette") || strings.HasSuffix(path, "/steps")
}

// isFile tells what a browser keeps as a file and shows nowhere.
func isFile(path string) bool { return path == "/audit/export" }

// pictureName is a page's name as a file's.
func pictureName(path string) string {
	at, err := url.Parse(path)
	if err != nil {
		return "page"
	}
	name := strings.NewReplacer("/", "-", townSite(7), "site", string(townUser(7)), "user").Replace(strings.Trim(at.Path, "/"))
	if at.RawQuery != "" {
		name += "-found"
	}
	return cmp.Or(name, "overview")
}
