package main

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kubepanel.io/kubepanel/internal/panel/web/asset"
	"kubepanel.io/kubepanel/lab/axe"
)

// edit puts the editor of files into the page that is open, with a bracket that has no
// other half beside the cursor and lines longer than any window is wide.
const edit = `(() => {
	document.querySelector("main").innerHTML = '<h1>index.js</h1><form><textarea data-editor="js" aria-label="Text"></textarea></form>';
	document.querySelector("textarea").value = ")\n// " + "a long line ".repeat(60) + "\n".repeat(80);
	const script = document.createElement("script");
	script.src = SOURCE;
	document.body.append(script);
})()`

// The editor is as good for all as the pages are, whatever stands in a file. A file's
// own page needs a pod, so the editor comes into another one.
func TestEditorIsAccessible(t *testing.T) {
	files, err := asset.Load()
	must(t, err)
	o := newTown(t).open()
	o.signIn()
	w, script := o.window(), axe.Script(t)
	for _, dress := range []struct {
		name          string
		width, height int64
		theme         string
	}{{"light", 1366, 900, "light"}, {"dark", 1366, 900, "dark"}, {"phone", 390, 844, "light"}} {
		w.dress(dress.width, dress.height, dress.theme, "en")
		w.open("/sites")
		w.do(chromedp.Evaluate("const SOURCE = '"+files.URL("editor.js")+"'; "+edit, nil),
			chromedp.Poll(`!!document.querySelector(".editor")?.shadowRoot.querySelector(".cm-nonmatchingBracket")`, nil, chromedp.WithPollingTimeout(30*time.Second)))
		for _, fault := range w.faults(script) {
			t.Errorf("%s: %s", dress.name, fault)
		}
		// The end of a long line is reached by keys alone.
		w.do(chromedp.KeyEvent(kb.ArrowDown+kb.End),
			chromedp.Poll(`document.querySelector(".editor").shadowRoot.querySelector(".cm-scroller").scrollLeft > 0`, nil, chromedp.WithPollingTimeout(30*time.Second)))
		w.keep("editor-" + dress.name)
	}
}
