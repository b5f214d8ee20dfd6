package lab

import (
	"archive/zip"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestPanelMovesFiles: somebody uploads an archive in the panel and unpacks it, throws a
// file away and has it back, and speaks with a shell of the site's own. How a file is
// edited is part of the whole story.
func TestPanelMovesFiles(t *testing.T) {
	c := openCluster(t)
	s := c.expectSite(t, "filing.localhost")
	p := newPanelJourney(t, c)
	ada := newBrowser(t, "panel-files", c.ca)
	p.administrator(ada)
	p.makesAProgram(ada, s)
	s.deposit(t, map[string]string{"note.txt": "a first line"})

	ada.open(p.fileURL(s, "", "/html"))
	ada.sees("form.files")
	p.check(ada, "files")
	ada.choose("#upload", p.archive())
	ada.until("the archive is in the list", `[...document.querySelectorAll('form.files a.file')].some(a => a.innerText === 'pages.zip')`)
	ada.open(p.fileURL(s, "/item", "/html/pages.zip"))
	p.check(ada, "archive")
	ada.click("button[value=unpack-here]")
	p.seen(s, "/pages/about.txt", "from the archive")

	ada.open(p.fileURL(s, "/item", "/html/note.txt"))
	ada.click("button[value=trash]")
	p.seen(s, "/note.txt", "404")
	ada.open(p.url + "/sites/" + s.name + "/files/trash")
	p.check(ada, "trash")
	ada.click("input[name=file]")
	ada.click("button[value=restore]")
	p.seen(s, "/note.txt", "a first line")

	p.speaks(ada, s)
}

// makesAProgram makes a PHP site by the form and waits until it is live.
func (p *panelJourney) makesAProgram(b *browser, s site) {
	p.t.Helper()
	b.open(p.url + "/sites/new")
	b.click(`.tile:has([value=php])`)
	b.write("#name", s.name)
	b.click("main form.form button[type=submit]")
	b.until("the site is live", `document.querySelector('#state')?.innerText === 'Live'`)
}

// speaks switches the site's shell on and types into it.
func (p *panelJourney) speaks(b *browser, s site) {
	p.t.Helper()
	b.open(p.url + "/sites/" + s.name + "/terminal")
	p.check(b, "no-shell")
	b.click("button[name=shell]")
	b.until("the change is taken", `document.querySelector('#state') && !document.querySelector('button[name=shell]')`) // nothing is there between two pages
	s.becomes(p.t, "Ready", "True", 2*time.Minute)
	b.open(p.url + "/sites/" + s.name + "/terminal")
	b.until("a prompt is there", `document.querySelector('.xterm-rows')?.innerText.includes('$')`)
	b.press("echo $((6 * 7)) from $(cat html/note.txt)\r")
	b.until("the shell answers", `document.querySelector('.xterm-rows').innerText.includes('42 from a first line')`)
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
