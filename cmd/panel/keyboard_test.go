package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// stop is where Tab led.
type stop struct {
	Name  string // for a person
	In    string // the id of the dialog that it is in
	Place int    // among all elements of the page; -1 is none of them
	Seen  bool   // that it has the focus
	Shown bool   // in the window
}

// whereabouts tells of the element with the focus. It is seen to have it when it or what it
// is drawn by, its label or its tile, has an outline, or when its border is the accent's.
const whereabouts = `(() => {
	const at = document.activeElement, box = at.getBoundingClientRect();
	const drawn = [at, at.closest(".tile"), at.closest(".editor"), ...(at.labels ?? [])].filter(Boolean);
	const outlined = drawn.some(e => { const s = getComputedStyle(e); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1; });
	const probe = document.body.appendChild(document.createElement("i"));
	probe.style.color = "var(--accent)";
	const accent = getComputedStyle(probe).color;
	probe.remove();
	const none = at === document.body || at === document.documentElement;
	return {
		Name: at.tagName.toLowerCase() + " " + (at.getAttribute("aria-label") || at.labels?.[0]?.textContent || at.textContent || at.name || at.id || "").trim().replace(/\s+/g, " ").slice(0, 50),
		In: at.closest("dialog")?.id ?? "",
		Place: none ? -1 : [...document.querySelectorAll("*")].indexOf(at),
		Seen: outlined || getComputedStyle(at).borderTopColor === accent,
		Shown: drawn.some(e => { const b = e.getBoundingClientRect(); return b.width > 1 && b.height > 1 && b.bottom > 0 && b.top < innerHeight && b.right > 0 && b.left < innerWidth; }) || box.width === 0,
	};
})()`

// reachable counts what Tab has to lead to: what is shown and can have the focus. Of radio
// buttons of one name it is one.
const reachable = `(() => {
	const radios = new Set();
	return [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")].filter(e => {
		if (e.disabled || e.type === "hidden" || e.tabIndex < 0 || !e.checkVisibility({ visibilityProperty: true }) || e.closest("dialog:not([open])")) return false;
		if (e.type !== "radio") return true;
		return !radios.has(e.name) && radios.add(e.name);
	}).length;
})()`

func (w *window) stop() (at stop) {
	w.Helper()
	w.do(chromedp.Evaluate(whereabouts, &at))
	return at
}

// begins has Tab begin at the top, also on a page that puts the focus into its first field.
func (w *window) begins() {
	w.Helper()
	w.do(chromedp.Evaluate(`document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex")`, nil))
}

// tabs presses Tab until the page is left or begun anew, and returns where it led.
func (w *window) tabs(page string) (all []stop) {
	w.Helper()
	seen := map[int]bool{}
	const most = 400
	for range most {
		w.do(chromedp.KeyEvent(kb.Tab))
		at := w.stop()
		if len(all) > 0 && at.Place == all[len(all)-1].Place {
			continue // a field of a time has stops within it
		}
		if at.Place < 0 || seen[at.Place] {
			return all
		}
		seen[at.Place] = true
		all = append(all, at)
	}
	w.Fatalf("%s: Tab does not leave the page after %d stops", page, most)
	return nil
}

// Who has no mouse comes everywhere by Tab, in the order of the page, and always sees where.
func TestTabLeadsThroughThePages(t *testing.T) {
	town := newTown(t)
	town.grow(10)
	o := town.open()
	o.signIn()
	w := o.window()
	site := "/sites/" + townSite(7)
	paths := []string{"/sites", "/sites/new", site, site + "/domains", site + "/settings", site + "/access", site + "/usage", site + "/database", site + "/danger",
		site + "/files", site + "/terminal", site + "/logs", site + "/cron"}
	for _, d := range []dress{dresses()[0], dresses()[2], dresses()[3]} { // dark has light's order
		w.dress(d.width, d.height, d.theme, d.language)
		for _, path := range paths {
			w.open(path)
			w.begins()
			var want int
			w.do(chromedp.Evaluate(reachable, &want))
			all := w.tabs(path)
			if len(all) == 0 {
				t.Errorf("%s in %s: Tab leads nowhere", path, d.name)
				continue
			}
			for i, at := range all {
				if !at.Seen {
					t.Errorf("%s in %s: nobody sees that %q has the focus", path, d.name, at.Name)
				}
				if !at.Shown {
					t.Errorf("%s in %s: %q has the focus and is out of sight", path, d.name, at.Name)
				}
				if i > 0 && at.Place < all[i-1].Place {
					t.Errorf("%s in %s: Tab leads back from %q to %q", path, d.name, all[i-1].Name, at.Name)
				}
			}
			if len(all) < want {
				t.Errorf("%s in %s: Tab leads to %d places of %d: %v", path, d.name, len(all), want, all)
			}
		}
	}
}

// The first stop of a page leads past what all pages have.
func TestTheFirstStopLeadsToTheContent(t *testing.T) {
	o := newTown(t).open()
	o.signIn()
	w := o.window()
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		w.open("/sites/new")
		w.begins()
		w.do(chromedp.KeyEvent(kb.Tab))
		if at := w.stop(); w.read(`document.activeElement.getAttribute("href") ?? ""`) != "#main" || !at.Seen || !at.Shown {
			t.Errorf("in %s Tab leads to %+v first, want the way to the content", d.name, at)
		}
		w.do(chromedp.KeyEvent(kb.Enter))
		w.until("document.activeElement.id", "main")
		w.do(chromedp.KeyEvent(kb.Tab))
		if w.read(`String(document.querySelector("#main").contains(document.activeElement))`) != "true" {
			t.Errorf("in %s Tab leads from the content's beginning to %q, which is not in it", d.name, w.stop().Name)
		}
	}
}

// The palette keeps the focus for as long as it is open, and Escape gives it back; so it
// is with the menu of a phone.
func TestEscapeGivesTheFocusBack(t *testing.T) {
	town := newTown(t)
	town.grow(3)
	o := town.open()
	o.signIn()
	w := o.window()
	w.dress(1366, 900, "light", "en")
	w.open("/sites")
	w.do(chromedp.Focus(`main a[href="/sites/new"]`, chromedp.ByQuery))
	w.press("k")
	w.until(`String(document.querySelectorAll("#found [role=option]").length > 3)`, "true")
	for range 5 {
		if at := w.stop(); at.Place >= 0 && (at.In != "palette" || !at.Seen) {
			t.Errorf("with the palette open the focus is at %+v", at)
		}
		w.do(chromedp.KeyEvent(kb.Tab))
	}
	w.do(chromedp.Focus("#palette input", chromedp.ByQuery), chromedp.KeyEvent(kb.Escape))
	w.until(`String(document.querySelector("#palette").open)`, "false")
	if got := w.read(`document.activeElement.getAttribute("href") ?? ""`); got != "/sites/new" {
		t.Errorf("after Escape the focus is at %+v, want where it was", w.stop())
	}

	w.dress(390, 844, "light", "en")
	w.open("/sites")
	w.do(chromedp.Focus("button.menu", chromedp.ByQuery), chromedp.KeyEvent(kb.Enter))
	w.until(`String(document.querySelector("#side").matches(":popover-open"))`, "true")
	w.do(chromedp.KeyEvent(kb.Tab))
	if at := w.stop(); w.read(`String(document.querySelector("#side").contains(document.activeElement))`) != "true" || !at.Seen {
		t.Errorf("Tab leads from the open menu's button to %+v, want into the menu", at)
	}
	w.do(chromedp.KeyEvent(kb.Escape))
	w.until(`String(document.querySelector("#side").matches(":popover-open"))`, "false")
	if !strings.Contains(w.read("document.activeElement.className"), "menu") {
		t.Errorf("after Escape the focus is at %+v, want the menu's button", w.stop())
	}
}
