package main

import (
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"kubepanel.io/kubepanel/lab/axe"
)

// scrolled goes through a page, and returns how many of its pictures came, and how many
// there were before.
const scrolled = `(async () => {
	const pictures = [...document.querySelectorAll("article img")], came = () => pictures.filter(e => e.complete && e.naturalWidth > 0).length;
	const before = came();
	for (const picture of pictures) {
		picture.scrollIntoView({ block: "center", behavior: "instant" });
		if (!picture.complete) await new Promise(done => { picture.addEventListener("load", done); picture.addEventListener("error", done); });
	}
	return [pictures.length, before, came()];
})()`

// The pictures of a guide come when its reader does, and nothing moves for them.
func TestPicturesOfAGuideStandStill(t *testing.T) {
	o := newTown(t).open()
	o.signIn()
	w, script := o.window(), axe.Script(t)
	for i, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		w.stands("/guides/customer", script, d)
		var pictures []int
		w.do(chromedp.Evaluate(scrolled, &pictures, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		if all, before, came := pictures[0], pictures[1], pictures[2]; all < 10 || i == 0 && before == all || came != all {
			t.Errorf("in %s the guide has %d pictures, %d at once and %d in the end, want all in the end, and not at once before the browser has them", d.name, all, before, came)
		}
		if shift := w.shifted(); shift > 0.001 {
			t.Errorf("in %s the guide shifted by %.3f", d.name, shift)
		}
		w.keep("guide-end-" + d.name)
	}
}
