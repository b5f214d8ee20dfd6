package rest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

// lazyDoor leads to a real toolbox of jo's site, which runs from the first order on.
type lazyDoor struct {
	house *house
	once  sync.Once
	door  hosting.Door
	root  string
}

func (l *lazyDoor) open() hosting.Door {
	l.once.Do(func() {
		street := doortest.New(l.house.t)
		l.root, _ = street.Site("jo.example")
		l.door = street
		l.house.put("html/index.php", "<?php // a file")
		l.house.put("html/old/a.txt", "a")
		l.house.put("html/pack.tar.gz", "no archive")
		l.house.put(".trash/files/gone.txt.ABCDEFGH", "gone")
		l.house.put(".trash/info/gone.txt.ABCDEFGH.trashinfo", "[Trash Info]\nPath=/html/gone.txt\nDeletionDate=2026-03-01T12:00:00\n")
	})
	return l.door
}

// Order implements hosting.Door.
func (l *lazyDoor) Order(ctx context.Context, v hosting.Visit, o orders.Order, in io.Reader, out io.Writer) (orders.Answer, error) {
	return l.open().Order(ctx, v, o, in, out)
}

// Terminal implements hosting.Door.
func (l *lazyDoor) Terminal(ctx context.Context, v hosting.Visit, size hosting.TerminalSize) (hosting.Terminal, error) {
	return l.open().Terminal(ctx, v, size)
}

// put writes a file of jo's site past the panel.
func (h *house) put(name, content string) {
	h.t.Helper()
	file := filepath.Join(h.door.root, name)
	h.must(os.MkdirAll(filepath.Dir(file), 0o755))
	h.must(os.WriteFile(file, []byte(content), 0o644))
}

// file reads one; "" for none.
func (h *house) file(name string) string {
	h.door.open()
	text, err := os.ReadFile(filepath.Join(h.door.root, name))
	if err != nil {
		return ""
	}
	return string(text)
}

const filesAt = "/sites/jo.example/files"

func contentAt(path string) string { return filesAt + "/content?path=" + url.QueryEscape(path) }

func TestFilesAreListedInPages(t *testing.T) {
	h := newHouse(t)
	h.door.open()
	h.put("html/bad\xff", "x")
	var names []string
	path := filesAt + "?limit=2"
	for path != "" {
		page := read[rest.List[rest.File]](t, h.jo.get(path).want(t, http.StatusOK))
		if *page.Total != 4 {
			t.Fatalf("there are %d files, want 4", *page.Total)
		}
		for _, f := range page.Items {
			names = append(names, f.Name)
			if strings.HasPrefix(f.Name, "bad") && string(f.Octets) != "bad\xff" {
				t.Errorf("a name that is no UTF-8 is told as %+v", f)
			}
		}
		path = ""
		if page.Next != "" {
			path = filesAt + "?limit=2&cursor=" + page.Next
		}
	}
	if got, want := fmt.Sprint(names), "[old bad\ufffd index.php pack.tar.gz]"; got != want {
		t.Errorf("the files are %s, want %s", got, want)
	}
	h.jo.get(filesAt+"?path=/../../etc").problem(t, http.StatusNotFound, hosting.NotFound, "")
	h.jo.get(filesAt+"?path=/html/index.php").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "")
	h.jo.get(filesAt+"/item?path=/html/index.php").want(t, http.StatusOK, `"kind":"file"`, `"size":15`, `"mode":"644"`)
}

func TestAFileIsReadInParts(t *testing.T) {
	h := newHouse(t)
	h.door.open()
	large := strings.Repeat("0123456789", hosting.MaxText/10+1)
	h.put("html/large.bin", large)
	for _, name := range []string{"/html/index.php", "/html/large.bin"} {
		want := h.file(name)
		whole := h.jo.get(contentAt(name)).want(t, http.StatusOK)
		tag := whole.header.Get("Etag")
		if string(whole.body) != want || tag == "" || whole.header.Get("Content-Type") != "application/octet-stream" ||
			!strings.HasPrefix(whole.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s is %d octets with %v, want %d", name, len(whole.body), whole.header, len(want))
		}
		part := h.jo.ask(request{method: http.MethodGet, path: contentAt(name), header: map[string]string{"Range": "bytes=3-12", "If-Range": tag}}).want(t, http.StatusPartialContent)
		if string(part.body) != want[3:13] {
			t.Errorf("ten octets of %s are %q, want %q", name, part.body, want[3:13])
		}
		last := h.jo.ask(request{method: http.MethodGet, path: contentAt(name), header: map[string]string{"Range": "bytes=-5"}}).want(t, http.StatusPartialContent)
		if string(last.body) != want[len(want)-5:] {
			t.Errorf("the last octets of %s are %q", name, last.body)
		}
		h.jo.ask(request{method: http.MethodGet, path: contentAt(name), header: map[string]string{"If-None-Match": tag}}).want(t, http.StatusNotModified)
	}
	h.jo.ask(request{method: http.MethodGet, path: contentAt("/html/index.php"), header: map[string]string{"Range": "bytes=99-"}}).
		problem(t, http.StatusRequestedRangeNotSatisfiable, hosting.Invalid, "")
	h.jo.get(contentAt("/html")).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "")
	h.jo.get(contentAt("/html/none")).problem(t, http.StatusNotFound, hosting.NotFound, "")
	packed := h.jo.get(filesAt+"/archive?path=/html").want(t, http.StatusOK)
	if !bytes.HasPrefix(packed.body, []byte{0x1f, 0x8b}) { // RFC 1952 section 2.3.1
		t.Errorf("the archive begins with %x", packed.body[:min(4, len(packed.body))])
	}
}

func TestAFileIsSavedAndNobodyElsesChangeIsLost(t *testing.T) {
	h := newHouse(t)
	save := func(name, content, match string) reply {
		q := request{method: http.MethodPut, path: contentAt(name), body: content, header: map[string]string{"Content-Type": "application/octet-stream"}}
		if match != "" {
			q.header["If-Match"] = match
		}
		return h.jo.ask(q)
	}
	made := save("/html/new.bin", "\x00new\xff", "").want(t, http.StatusOK, `"size":5`)
	if got := h.file("html/new.bin"); got != "\x00new\xff" {
		t.Errorf("the file is %q", got)
	}
	save("/html/new.bin", "again", "").problem(t, http.StatusConflict, hosting.Conflict, "")
	tag := made.header.Get("Etag")
	if read := h.jo.get(contentAt("/html/new.bin")); read.header.Get("Etag") != tag {
		t.Errorf("the file is read as %s and was saved as %s", read.header.Get("Etag"), tag)
	}
	save("/html/new.bin", "mine", tag).want(t, http.StatusOK)
	save("/html/new.bin", "late", tag).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	save("/html/new.bin", "whatever", "*").want(t, http.StatusOK)
	if got := h.file("html/new.bin"); got != "whatever" {
		t.Errorf("the file is %q", got)
	}
	save("/html/large", strings.Repeat("x", hosting.MaxText+1), "").problem(t, http.StatusRequestEntityTooLarge, hosting.Invalid, "")
}

func TestAnUploadGoesOnWhereItWasCut(t *testing.T) {
	h := newHouse(t)
	content := strings.Repeat("0123456789abcdef", 20_000)
	at := fmt.Sprintf("/sites/jo.example/uploads?path=%s&size=%d&modified=now", url.QueryEscape("/html/up.bin"), len(content))
	piece := func(offset int, text string) reply {
		return h.jo.ask(request{method: http.MethodPatch, path: fmt.Sprintf("%s&offset=%d", at, offset), body: text, header: map[string]string{"Content-Type": "application/octet-stream"}})
	}
	h.jo.get(at).want(t, http.StatusOK, `"offset":0`, `"done":false`)
	half := len(content) / 2
	piece(0, content[:half]).want(t, http.StatusOK, fmt.Sprintf(`"offset":%d`, half), `"done":false`)
	piece(0, content[:half]).problem(t, http.StatusConflict, hosting.Conflict, "")
	h.jo.get(at).want(t, http.StatusOK, fmt.Sprintf(`"offset":%d`, half))
	if h.file("html/up.bin") != "" {
		t.Error("half an upload is a file already")
	}
	piece(half, content[half:]).want(t, http.StatusOK, `"done":true`)
	if h.file("html/up.bin") != content {
		t.Error("the file is not what was uploaded")
	}
	piece(0, content).problem(t, http.StatusConflict, hosting.Conflict, "") // there is a file
	other := "/sites/jo.example/uploads?path=/html/other.bin&size=4&modified=now"
	h.jo.ask(request{method: http.MethodPatch, path: other + "&offset=0", body: "ab", header: map[string]string{"Content-Type": "application/octet-stream"}}).want(t, http.StatusOK, `"offset":2`)
	for range 2 { // also where there is none
		h.jo.ask(request{method: http.MethodDelete, path: other}).want(t, http.StatusNoContent)
		h.jo.get(other).want(t, http.StatusOK, `"offset":0`)
	}
	h.jo.get("/sites/jo.example/uploads?path=/x&size=-1").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "size")
}

func TestWhatIsDoneToFiles(t *testing.T) {
	h := newHouse(t)
	do := func(what string, body map[string]any) reply { return h.jo.post(filesAt+"/"+what, body) }
	do("folders", map[string]any{"path": "/html/pictures"}).want(t, http.StatusNoContent)
	do("folders", map[string]any{"path": "/html/pictures"}).problem(t, http.StatusConflict, hosting.Conflict, "")
	do("copy", map[string]any{"paths": []string{"/html/index.php"}, "to": "/html/pictures"}).want(t, http.StatusNoContent)
	do("rename", map[string]any{"path": "/html/pictures/index.php", "name": "one.php"}).want(t, http.StatusOK, `"path":"/html/pictures/one.php"`)
	do("move", map[string]any{"paths": []string{"/html/old"}, "to": "/html/pictures"}).want(t, http.StatusNoContent)
	do("mode", map[string]any{"path": "/html/index.php", "mode": "600"}).want(t, http.StatusNoContent)
	do("mode", map[string]any{"path": "/html/index.php", "mode": "999"}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "mode")
	h.jo.get(filesAt+"/item?path=/html/index.php").want(t, http.StatusOK, `"mode":"600"`)
	do("pack", map[string]any{"folder": "/html", "names": []string{"pictures"}, "archive": "p.zip"}).want(t, http.StatusNoContent)
	do("trash", map[string]any{"paths": []string{"/html/pictures"}}).want(t, http.StatusNoContent)
	trash := read[rest.List[rest.Thrown]](t, h.jo.get(filesAt+"/trash").want(t, http.StatusOK, `"from":"/html/pictures"`))
	do("trash/restore", map[string]any{"names": []string{trash.Items[0].Name}}).want(t, http.StatusNoContent)
	do("trash", map[string]any{"paths": []string{"/html/pictures"}}).want(t, http.StatusNoContent)
	h.jo.ask(request{method: http.MethodDelete, path: filesAt + "/trash"}).want(t, http.StatusNoContent)
	h.jo.get(filesAt+"/trash").want(t, http.StatusOK, `"items":[]`)
	do("unpack", map[string]any{"path": "/html/p.zip"}).want(t, http.StatusOK, `"path":"/html/p"`)
	if got := h.file("html/p/pictures/old/a.txt"); got != "a" {
		t.Errorf("what was packed, thrown away and unpacked is %q", got)
	}
	do("unpack", map[string]any{"path": "/html/pack.tar.gz"}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "")
	do("trash", map[string]any{"paths": []string{}}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "paths")
	h.jo.get("/audit?did=site.files").want(t, http.StatusOK, `"files":"unpack"`, `"/html/index.php"`)
	same := keyed(filesAt+"/trash", "k", map[string]any{"paths": []string{"/html/p.zip"}})
	h.jo.ask(same).want(t, http.StatusNoContent)
	h.jo.ask(same).want(t, http.StatusNoContent) // it was done once
}
