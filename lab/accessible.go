package lab

import (
	"context"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"kubepanel.io/kubepanel/lab/axe"
)

// accessible tells what axe-core finds wrong with the page: contrast, labels, roles,
// names. The debugger's door is not bound by the page's policy.
func (b *browser) accessible(script, what string) {
	b.t.Helper()
	var found []string
	b.do("run axe-core on "+what, func(ctx context.Context) error {
		if err := chromedp.Run(ctx, chromedp.Evaluate(script, nil)); err != nil {
			return err
		}
		return chromedp.Run(ctx, chromedp.Evaluate(axe.Ask, &found, chromedp.EvalAsValue, awaitPromise))
	})
	for _, fault := range found {
		b.t.Errorf("%s at %s: %s", what, b.location(), fault)
	}
}

// goodShift is what is still good of a page's Cumulative Layout Shift (web.dev/cls).
const goodShift = 0.1

// shift is how much of a page moved by itself since it was first shown (Cumulative
// Layout Shift), 0 is nothing, and what moved from where to where, and when. Whoever asks
// where something is has a page laid out before its style sheet came; nobody saw that.
type shift struct {
	Sum  float64 `json:"sum"`
	What string  `json:"what"`
}

func (b *browser) shifted() shift {
	b.t.Helper()
	var found shift
	b.do("ask for the layout's shift", func(ctx context.Context) error {
		// A busy browser tells of its first picture only after it was seen.
		const ask = `new Promise(picture => {
			const first = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
			new PerformanceObserver(() => first() && picture(first())).observe({type: 'paint', buffered: true});
			setTimeout(() => picture(first() ?? 0), 10000);
		}).then(shown => new Promise(done => { let sum = 0, what = '';
			const box = r => [r.x, r.y, r.width, r.height].map(Math.round).join(' ');
			new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput && e.startTime > shown) {
				sum += e.value;
				what += Math.round(e.startTime) + ' ms, ' + e.value.toFixed(3) + ': ' + e.sources.map(s =>
					(s.node?.nodeName ?? 'what is gone') + '.' + (s.node?.className ?? '') + ' from ' + box(s.previousRect) + ' to ' + box(s.currentRect)).join('; ') + '\n';
			} }).observe({type: 'layout-shift', buffered: true});
			setTimeout(() => done({sum, what}), 100); }))`
		return chromedp.Run(ctx, chromedp.Evaluate(ask, &found, chromedp.EvalAsValue, awaitPromise))
	})
	return found
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
