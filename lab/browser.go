package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// actionLimit is how long one action of a person may take. The block editor
// loads 80 scripts; on a busy machine of 2 cores that was 15 s at worst.
const actionLimit = 60 * time.Second

// The window is as large as a small laptop's.
const (
	windowWidth  = 1366
	windowHeight = 1000
)

// browser is one window of a real Chromium that trusts the platform's CA the
// way a person's would: through its certificate store.
type browser struct {
	t        testing.TB
	ctx      context.Context
	prefix   string
	shots    int
	mu       sync.Mutex
	troubles []string
}

// newBrowser starts Chromium with a home of its own. Screenshots are kept as
// PREFIX-NN-name.png. It ends with the test.
func newBrowser(t testing.TB, prefix string, caPEM []byte) *browser {
	t.Helper()
	home := t.TempDir()
	trust(t, home, caPEM)
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("/usr/bin/chromium"),
		chromedp.Env("HOME=" + home),
		chromedp.UserDataDir(filepath.Join(home, "profile")),
		chromedp.WindowSize(windowWidth, windowHeight),
		chromedp.Flag("headless", true),
		chromedp.Flag("no-sandbox", true), // tests run as root, where Chromium has no sandbox
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-dev-shm-usage", true), // containers have a /dev/shm of 64 MB
		chromedp.Flag("no-first-run", true),
		chromedp.Flag("no-default-browser-check", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-search-engine-choice-screen", true),
		chromedp.Flag("password-store", "basic"),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.WSURLReadTimeout(actionLimit),
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeWindow := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		// Cancel closes the browser and waits for it, so that its home can be removed.
		if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Logf("close the browser: %v", err)
		}
		closeWindow()
		stop()
	})
	b := &browser{t: t, ctx: ctx, prefix: prefix}
	b.listen()
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return b
}

// anonymous opens a window that shares nothing with the first: no cookie, no cache.
func (b *browser) anonymous() *browser {
	b.t.Helper()
	var window target.ID
	err := chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		// Questions about windows go to the browser, not to the page.
		ctx = cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		profile, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(ctx)
		if err != nil {
			return err
		}
		// A profile without a window can't open a tab.
		window, err = target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).
			WithWidth(windowWidth).WithHeight(windowHeight).Do(ctx)
		return err
	}))
	if err != nil {
		b.t.Fatalf("open a second window: %v", err)
	}
	ctx, closeWindow := chromedp.NewContext(b.ctx, chromedp.WithTargetID(window))
	b.t.Cleanup(closeWindow)
	other := &browser{t: b.t, ctx: ctx, prefix: b.prefix + "-visitor"}
	other.listen()
	if err := chromedp.Run(ctx); err != nil {
		b.t.Fatalf("open a second window: %v", err)
	}
	return other
}

// trust puts the CA into the certificate store of a home folder, where Chromium
// looks for the authorities that its user added.
func trust(t testing.TB, home string, caPEM []byte) {
	t.Helper()
	store := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(home, "ca.pem")
	if err := os.WriteFile(ca, caPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-N", "-d", "sql:" + store, "--empty-password"},
		{"-A", "-d", "sql:" + store, "-n", "Kubepanel lab", "-t", "C,,", "-i", ca},
	} {
		if out, err := exec.CommandContext(t.Context(), "certutil", args...).CombinedOutput(); err != nil {
			t.Fatalf("certutil %s: %v: %s", args[0], err, out)
		}
	}
}

// listen remembers what the page complained about, for the failure's message.
func (b *browser) listen() {
	chromedp.ListenTarget(b.ctx, func(event any) {
		if thrown, ok := event.(*runtime.EventExceptionThrown); ok {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.troubles = append(b.troubles, thrown.ExceptionDetails.Error())
		}
	})
}

// do runs one action of a person and ends the test, with a picture of what it
// saw, when it does not succeed in time.
func (b *browser) do(what string, action func(context.Context) error) {
	b.t.Helper()
	err := within(b.ctx, actionLimit, action)
	if err == nil {
		return
	}
	b.shot("failed")
	b.mu.Lock()
	defer b.mu.Unlock()
	b.t.Fatalf("%s: %v; the page is %s; it complained: %s", what, err, b.location(), strings.Join(b.troubles, " | "))
}

// open goes to an address and waits until the page has loaded.
func (b *browser) open(url string) {
	b.t.Helper()
	b.do("open "+url, func(ctx context.Context) error {
		response, err := chromedp.RunResponse(ctx, chromedp.Navigate(url))
		if err != nil {
			return err
		}
		if response == nil {
			return errors.New("a page that was on its way before has come instead")
		}
		if response.Status >= 400 {
			return fmt.Errorf("it answers %d", response.Status)
		}
		return nil
	})
}

// find is JavaScript that looks for the first visible, enabled element in the
// page and in its frames (the editor's canvas is one) and returns where its
// middle is, after scrolling there if it must. A thing under another thing can't be clicked, so it does not count.
const find = `(selector => {
	const places = [[document, 0, 0]];
	for (const frame of document.querySelectorAll('iframe')) {
		if (!frame.contentDocument) continue;
		const box = frame.getBoundingClientRect();
		places.push([frame.contentDocument, box.x + frame.clientLeft, box.y + frame.clientTop]);
	}
	for (const [page, left, top] of places) {
		for (const element of page.querySelectorAll(selector)) {
			if (element.disabled || element.ariaDisabled === 'true') continue;
			let box = element.getBoundingClientRect();
			if (box.width < 1 || box.height < 1) continue;
			if (box.top < 0 || box.bottom > page.defaultView.innerHeight) {
				element.scrollIntoView({block: 'center', behavior: 'instant'});
				box = element.getBoundingClientRect();
			}
			const x = box.x + box.width / 2, y = box.y + box.height / 2;
			const hit = page.elementFromPoint(x, y);
			if (hit && !element.contains(hit) && !hit.contains(element)) continue;
			return {x: left + x, y: top + y, text: element.innerText || ''};
		}
	}
	return null;
})`

// spot is where an element is and what it says.
type spot struct {
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Text string  `json:"text"`
}

func (b *browser) look(ctx context.Context, selector string) (spot, error) {
	var at *spot
	if err := chromedp.Run(ctx, chromedp.Evaluate(fmt.Sprintf("%s(%q)", find, selector), &at)); err != nil {
		return spot{}, err
	}
	if at == nil {
		return spot{}, fmt.Errorf("nothing to be seen at %s", selector)
	}
	return *at, nil
}

// sees waits until an element is visible and returns its text.
func (b *browser) sees(selector string) string {
	b.t.Helper()
	var seen spot
	b.do("see "+selector, func(ctx context.Context) (err error) {
		seen, err = b.look(ctx, selector)
		return err
	})
	return seen.Text
}

// click presses the mouse on an element once it has come to rest.
func (b *browser) click(selector string) {
	b.t.Helper()
	before := spot{X: -1}
	b.do("click "+selector, func(ctx context.Context) error {
		at, err := b.look(ctx, selector)
		if err != nil {
			return err
		}
		if at.X != before.X || at.Y != before.Y {
			before = at
			return fmt.Errorf("%s is moving", selector)
		}
		return chromedp.Run(ctx, chromedp.MouseClickXY(at.X, at.Y))
	})
}

// write clicks into a field and types.
func (b *browser) write(selector, text string) {
	b.t.Helper()
	b.click(selector)
	b.press(text)
}

// press types keys wherever the cursor is.
func (b *browser) press(keys string) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, chromedp.KeyEvent(keys)); err != nil {
		b.t.Fatalf("type: %v", err)
	}
}

// choose gives a file to a form's file field, as its dialog would. The field may
// be hidden behind a button.
func (b *browser) choose(selector, file string) {
	b.t.Helper()
	field := fmt.Sprintf(`[document, ...[...document.querySelectorAll('iframe')].map(f => f.contentDocument)]
		.filter(Boolean).map(page => page.querySelector(%q)).find(Boolean)`, selector)
	b.do("choose a file at "+selector, func(ctx context.Context) error {
		return chromedp.Run(ctx, chromedp.ActionFunc(func(ctx context.Context) error {
			object, thrown, err := runtime.Evaluate(field).Do(ctx)
			if err != nil {
				return err
			}
			if thrown != nil || object.ObjectID == "" {
				return fmt.Errorf("no field at %s", selector)
			}
			return dom.SetFileInputFiles([]string{file}).WithObjectID(object.ObjectID).Do(ctx)
		}))
	})
}

// until waits until an expression of the page's JavaScript is true.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	b.do(what, func(ctx context.Context) error {
		var held bool
		if err := chromedp.Run(ctx, chromedp.Evaluate("Boolean("+expression+")", &held)); err != nil {
			return err
		}
		if !held {
			return errors.New("not yet: " + expression)
		}
		return nil
	})
}

// read evaluates an expression that gives a string.
func (b *browser) read(expression string) string {
	b.t.Helper()
	var value string
	if err := chromedp.Run(b.ctx, chromedp.Evaluate(expression, &value)); err != nil {
		b.t.Fatalf("read %s: %v", expression, err)
	}
	return value
}

func (b *browser) location() string {
	var url string
	if err := chromedp.Run(b.ctx, chromedp.Location(&url)); err != nil {
		return err.Error()
	}
	return url
}

// shot keeps a picture of the window.
func (b *browser) shot(name string) {
	b.t.Helper()
	var png []byte
	if err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot(&png)); err != nil {
		b.t.Logf("no picture of %s: %v", name, err)
		return
	}
	b.shots++
	keepArtifact(b.t, fmt.Sprintf("%s-%02d-%s.png", b.prefix, b.shots, name), png)
}
