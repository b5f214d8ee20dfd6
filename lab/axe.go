package lab

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe-core finds what people with another way of seeing or pointing would meet. It is
// npm's package of exactly this content.
const (
	axePackage = "axe-core@4.11.0"
	axeDigest  = "09ebd01ec7e7320772eb4245a3be6e99d88a29b7eed380eaf975fcc435d1ea0dca046c46379b7b1d3589a03c7f164fe4796b3a5611b4ce50b9459b7848a36cab"
)

// axe returns the text of axe.min.js, from npm or npm's own cache.
func axe(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	for _, line := range [][]string{{"npm", "pack", "--silent", "--prefer-offline", axePackage}, {"tar", "-xzf", "axe-core-4.11.0.tgz", "package/axe.min.js"}} {
		command := exec.CommandContext(t.Context(), line[0], line[1:]...)
		command.Dir = folder
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", strings.Join(line, " "), err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "package/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha512.Sum512(text); hex.EncodeToString(sum[:]) != axeDigest {
		t.Fatalf("%s is not what it was: SHA-512 %x", axePackage, sum)
	}
	return string(text)
}

// accessible tells what axe-core finds wrong with the page: contrast, labels, roles,
// names. The debugger's door is not bound by the page's policy.
func (b *browser) accessible(axe, what string) {
	b.t.Helper()
	var found []string
	b.do("run axe-core on "+what, func(ctx context.Context) error {
		if err := chromedp.Run(ctx, chromedp.Evaluate(axe+"\n;true", nil)); err != nil {
			return err
		}
		const ask = `(async () => {
			const {violations} = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']});
			return violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary.split('\n').slice(1).join('; ')));
		})()`
		return chromedp.Run(ctx, chromedp.Evaluate(ask, &found, chromedp.EvalAsValue, awaitPromise))
	})
	for _, fault := range found {
		b.t.Errorf("%s at %s: %s", what, b.location(), fault)
	}
}

// goodShift is what is still good of a page's Cumulative Layout Shift (web.dev/cls).
const goodShift = 0.1

// shifted tells how much of the page moved by itself since it was first shown
// (Cumulative Layout Shift): 0 is nothing.
func (b *browser) shifted() float64 {
	b.t.Helper()
	var sum float64
	b.do("ask for the layout's shift", func(ctx context.Context) error {
		const ask = `new Promise(done => { let sum = 0;
			new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; }).observe({type: 'layout-shift', buffered: true});
			setTimeout(() => done(sum), 100); })`
		return chromedp.Run(ctx, chromedp.Evaluate(ask, &sum, chromedp.EvalAsValue, awaitPromise))
	})
	return sum
}

// dress chooses what the window is like: its size, and what the computer prefers.
func (b *browser) dress(width, height int64, theme string) {
	b.t.Helper()
	err := chromedp.Run(b.ctx, chromedp.EmulateViewport(width, height),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
	if err != nil {
		b.t.Fatalf("make the window %d by %d and %s: %v", width, height, theme, err)
	}
}

// awaitPromise waits for what a script promises.
func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
