package lab

import (
	"archive/zip"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPanelChangesFiles: a customer edits a file in the panel and a visitor sees it,
// uploads an archive and unpacks it, throws a file away and has it back, and speaks
// with a shell of the site's own.
func TestPanelChangesFiles(t *testing.T) {
	c := openCluster(t)
	s := c.expectSite(t, "filing.localhost")
	p := &panelJourney{t: t, cluster: c, url: c.settings.Edge.URL(panelHost), axe: axe(t), run: fmt.Sprint(time.Now().Unix())}
	ada := newBrowser(t, "panel-files", c.ca)
	p.administrator(ada)
	p.makesAProgram(ada, s)
	s.deposit(t, map[string]string{"note.txt": "a first line"})
	visitor := c.newVisitor(t, "127.0.0.53")
	says := func(path, want string) {
		t.Helper()
		eventually(t, "a visitor reads "+path, time.Minute, func(ctx context.Context) error {
			page, err := visitor.get(ctx, s.url()+path)
			if err == nil && !strings.Contains(fmt.Sprint(page.status, " ", page.body), want) {
				err = fmt.Errorf("%d %.200q", page.status, page.body)
			}
			return err
		})
	}

	ada.open(p.fileURL(s, "", "/html"))
	ada.sees("form.files")
	p.check(ada, "files")
	ada.open(p.fileURL(s, "/edit", "/html/note.txt"))
	ada.until("the cursor is in the editor", `document.querySelector('.editor')?.shadowRoot.activeElement`)
	ada.press("typed before ")
	p.check(ada, "editor")
	ada.click("[data-save]")
	says("/note.txt", "typed before a first line")

	ada.open(p.fileURL(s, "", "/html"))
	ada.choose("#upload", p.archive())
	ada.until("the archive is in the list", `[...document.querySelectorAll('form.files a.file')].some(a => a.innerText === 'pages.zip')`)
	ada.open(p.fileURL(s, "/item", "/html/pages.zip"))
	p.check(ada, "archive")
	ada.click("button[value=unpack-here]")
	says("/pages/about.txt", "from the archive")

	ada.open(p.fileURL(s, "/item", "/html/note.txt"))
	ada.click("button[value=trash]")
	says("/note.txt", "404")
	ada.open(p.url + "/sites/" + s.name + "/files/trash")
	p.check(ada, "trash")
	ada.click("input[name=file]")
	ada.click("button[value=restore]")
	says("/note.txt", "typed before")

	p.speaks(ada, s)
}

// speaks switches the site's shell on and types into it.
func (p *panelJourney) speaks(b *browser, s site) {
	p.t.Helper()
	b.open(p.url + "/sites/" + s.name + "/terminal")
	p.check(b, "no-shell")
	b.click("button[name=shell]")
	b.until("the change is taken", `!document.querySelector('button[name=shell]')`)
	s.becomes(p.t, "Ready", "True", 2*time.Minute)
	b.open(p.url + "/sites/" + s.name + "/terminal")
	b.until("a prompt is there", `document.querySelector('.xterm-rows')?.innerText.includes('$')`)
	b.press("echo $((6 * 7)) from $(cat html/note.txt)\r")
	b.until("the shell answers", `document.querySelector('.xterm-rows').innerText.includes('42 from typed before a first line')`)
	p.check(b, "terminal")
}

func (p *panelJourney) fileURL(s site, page, path string) string {
	return p.url + "/sites/" + s.name + "/files" + page + "?path=" + url.QueryEscape(path)
}

// archive makes an archive to be uploaded.
func (p *panelJourney) archive() string {
	p.t.Helper()
	path := filepath.Join(p.t.TempDir(), "pages.zip")
	file, err := os.Create(path)
	if err != nil {
		p.t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	page, err := archive.Create("pages/about.txt")
	if err == nil {
		_, err = page.Write([]byte("from the archive"))
	}
	if err == nil {
		err = archive.Close()
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return path
}
