package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/lab/axe"
)

// The pages of a site's files stand still and fit as all others do, in each dress: a
// folder, a file, its text, and the trash with what was thrown away. Behind the panel are a
// real gateway and the site's real toolbox.
func TestPagesOfFilesStandStillAndFit(t *testing.T) {
	town, street := newTown(t), doortest.New(t)
	town.grow(8)
	town.byGateway()
	site := townSite(7)
	root, _ := street.Site(site)
	for name, text := range map[string]string{
		"index.php": "<?php phpinfo();", "style.css": strings.Repeat("a { color: red }\n", 200), "صور.txt": "x",
		"backup of the shop before the update, with a long name.tar.gz": strings.Repeat("x", 3<<20), "old/index.html": "old",
	} {
		file := filepath.Join(root, "html", name)
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(text), 0o644))
	}
	o := town.open("--gateway", street.Address, "--door-keys", street.Folder())
	o.signIn()
	files := "/sites/" + site + "/files"
	o.posts(files+"?path=/html", url.Values{"do": {"trash"}, "file": {"style.css", "backup of the shop before the update, with a long name.tar.gz", "old", "صور.txt"}})
	must(t, os.WriteFile(filepath.Join(root, "html", "صور.txt"), []byte("x"), 0o644))

	w, script := o.window(), axe.Script(t)
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		for _, path := range []string{files + "/trash", files + "?path=/html", files + "/item?path=/html/index.php"} {
			w.stands(path, script, d)
			if rows := w.read(`String(document.querySelectorAll("main tbody tr").length)`); strings.HasSuffix(path, "/trash") && rows != "4" {
				t.Errorf("%s in %s has %s rows, want four that were thrown away", path, d.name, rows)
			}
		}
	}
}

// What takes long in a site's files is shown above them while it goes on.
func TestFileJobsStandStillAndFit(t *testing.T) {
	town, street := newTown(t), doortest.New(t)
	town.grow(8)
	town.byGateway()
	site := townSite(7)
	root, _ := street.Site(site)
	must(t, os.MkdirAll(filepath.Join(root, "html"), 0o755))
	big, err := os.Create(filepath.Join(root, "html", "pictures.raw"))
	must(t, err)
	must(t, errors.Join(big.Truncate(1<<40), big.Close())) // of holes: to be packed it takes longer than any test
	o := town.open("--gateway", street.Address, "--door-keys", street.Folder())
	o.signIn()
	files := "/sites/" + site + "/files" // above all folders; its picture is not that of a folder
	o.posts(files+"?path=/html", url.Values{"do": {"pack"}, "archive": {"all the pictures.zip"}, "file": {"pictures.raw"}})
	w, script := o.window(), axe.Script(t)
	for _, d := range dresses() {
		w.dress(d.width, d.height, d.theme, d.language)
		w.stands(files, script, d)
		if jobs := w.read(`String(document.querySelectorAll("#jobs li.running").length)`); jobs != "1" {
			t.Errorf("%s in %s shows %s jobs, want one", files, d.name, jobs)
		}
		w.until(progressed, "true")
		if moved := w.read(pushed); moved != "0" {
			t.Errorf("%s in %s: the first word of progress pushes Cancel by %s pixels", files, d.name, moved)
		}
	}
}

// progressed tells whether a job says how far it is.
const progressed = `String(!!document.querySelector("#jobs .running .said"))`

// pushed is how far what a job says of its progress pushes its button: there is nothing to
// say at first.
const pushed = `(() => {
	const button = document.querySelector("#jobs button"), said = document.querySelector("#jobs .running .said");
	const top = () => button.getBoundingClientRect().top, before = top();
	said.remove();
	return String(before - top());
})()`

// A panel that is replaced says so of the changes of files that it carries out, before it
// ends: the next one shows no change that goes on, and nothing half done is left.
func TestAPanelThatIsReplacedSaysSoOfItsChangesOfFiles(t *testing.T) {
	street := doortest.New(t)
	town := newTown(t)
	town.grow(1)
	town.byGateway()
	root, _ := street.Site(townSite(0))
	must(t, os.MkdirAll(filepath.Join(root, "html"), 0o755))
	big, err := os.Create(filepath.Join(root, "html", "pictures.raw"))
	must(t, err)
	must(t, errors.Join(big.Truncate(1<<40), big.Close())) // of holes: to be packed it takes longer than any test
	first := town.open("--gateway", street.Address, "--door-keys", street.Folder())
	first.signIn()
	files := "/sites/" + townSite(0) + "/files?path=/html"
	first.posts(files, url.Values{"do": {"pack"}, "archive": {"all.zip"}, "file": {"pictures.raw"}})
	drafts := func() []string {
		found, err := filepath.Glob(filepath.Join(root, ".uploads", ".*.part"))
		must(t, err)
		return found
	}
	if len(drafts()) != 1 {
		t.Fatalf("there are the drafts %q, want that of an archive", drafts())
	}
	began := time.Now()
	first.close()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the panel took %s to end", took)
	}
	second := town.open("--gateway", street.Address, "--door-keys", street.Folder())
	second.cookie = first.cookie
	code, page := send(http.DefaultClient, second, http.MethodGet, files, nil)
	if code != http.StatusOK || !strings.Contains(page, "It ended with the panel that did it, which was replaced or died.") || strings.Contains(page, "/cancel") {
		t.Errorf("the next panel answers %d and shows something else: %s", code, page)
	}
	for end := time.Now().Add(time.Minute); len(drafts()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("left behind: %q", drafts())
		}
	}
}

// Who holds the mouse on Cancel while what is under way is drawn anew has pressed it still.
func TestCancelIsPressedWhileTheJobGoesOn(t *testing.T) {
	town, street := newTown(t), doortest.New(t)
	town.grow(1)
	town.byGateway()
	site := townSite(0)
	root, _ := street.Site(site)
	must(t, os.MkdirAll(filepath.Join(root, "html"), 0o755))
	big, err := os.Create(filepath.Join(root, "html", "pictures.raw"))
	must(t, err)
	must(t, errors.Join(big.Truncate(1<<40), big.Close()))
	o := town.open("--gateway", street.Address, "--door-keys", street.Folder())
	o.signIn()
	files := "/sites/" + site + "/files?path=/html"
	o.posts(files, url.Values{"do": {"pack"}, "archive": {"all.zip"}, "file": {"pictures.raw"}})
	w := o.window()
	w.dress(390, 844, "light", "en") // where lines have the least room
	w.open(files)
	const asked = `String(performance.getEntriesByType("resource").filter(e => e.initiatorType === "xmlhttprequest").length)`
	var at struct{ X, Y float64 }
	w.do(chromedp.Evaluate(`(() => { const r = document.querySelector("#jobs button").getBoundingClientRect(); return {X: r.x + r.width / 2, Y: r.y + r.height / 2}; })()`, &at))
	w.until(progressed, "true") // it says how far it is by now, and is drawn anew
	w.do(chromedp.MouseEvent(input.MousePressed, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	if pressed := w.read(`String(document.querySelector("#jobs button").matches(":active"))`); pressed != "true" {
		t.Fatal("the mouse does not press the button")
	}
	before := w.read(asked)
	w.until(`String(`+asked+` - `+before+` >= 3)`, "true")
	w.do(chromedp.MouseEvent(input.MouseReleased, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	w.until(`String(!document.querySelector("#jobs button"))`, "true") // nothing is left to cancel
}

// byGateway has the sites of the town behind one gateway.
func (t *town) byGateway() {
	t.Helper()
	text, err := os.ReadFile(t.settings)
	must(t, err)
	own := bytes.Replace(text, []byte("sftp: {exposure: nodePort, host: \"\"}"), []byte("sftp: {exposure: gateway, host: sftp.example, port: 22}"), 1)
	if bytes.Equal(own, text) {
		t.Fatal("the settings of tests say nothing of SFTP")
	}
	t.settings = filepath.Join(t.TempDir(), "platform.yaml")
	must(t, os.WriteFile(t.settings, own, 0o600))
}

// posts sends a form that leads to another page.
func (o *office) posts(path string, form url.Values) {
	o.Helper()
	request, err := http.NewRequestWithContext(o.Context(), http.MethodPost, "http://"+o.at+path, strings.NewReader(form.Encode()))
	must(o, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Cookie", o.cookie)
	answer, err := (&http.Transport{}).RoundTrip(request)
	must(o, err)
	defer answer.Body.Close() // only its status matters
	if answer.StatusCode != http.StatusSeeOther {
		o.Fatalf("%s was answered %s", path, answer.Status)
	}
}
