package files

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/orders"
)

// carry carries out one order below a folder.
func carry(t testing.TB, dir string, o orders.Order) (orders.Answer, string) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var out bytes.Buffer
	w := &work{Order: &o, root: root, in: strings.NewReader(""), out: &out, said: io.Discard}
	return w.answer(w.carryOut()), out.String()
}

type item struct {
	name, content, target string
}

func makeZip(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, i := range items {
		h := &zip.FileHeader{Name: i.name, Method: zip.Deflate}
		h.SetMode(0o644)
		content := i.content
		if i.target != "" {
			h.SetMode(os.ModeSymlink | 0o777)
			content = i.target
		}
		f, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func makeTar(t testing.TB, headers []tar.Header, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(content))
		}
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func save(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// names of all that is below a folder, links not followed.
func names(t testing.TB, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if path != dir {
			all = append(all, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestArchivesThatLeadOutAreRefusedWhole(t *testing.T) {
	archives := map[string][]byte{
		"up.zip":        makeZip(t, item{name: "good", content: "x"}, item{name: "../evil", content: "x"}),
		"deep.zip":      makeZip(t, item{name: "a/../../evil", content: "x"}),
		"absolute.zip":  makeZip(t, item{name: "/evil", content: "x"}),
		"windows.zip":   makeZip(t, item{name: `..\evil`, content: "x"}),
		"drive.zip":     makeZip(t, item{name: `C:\evil`, content: "x"}),
		"link.zip":      makeZip(t, item{name: "out", target: "/etc"}, item{name: "out/evil", content: "x"}),
		"far.zip":       makeZip(t, item{name: "a/out", target: "../../.."}),
		"twice.zip":     makeZip(t, item{name: "a", content: "x"}, item{name: "a", content: "y"}),
		"under.zip":     makeZip(t, item{name: "a", content: "x"}, item{name: "a/b", content: "y"}),
		"up.tar.gz":     makeTar(t, []tar.Header{{Name: "../evil", Typeflag: tar.TypeReg}}, "x"),
		"link.tgz":      makeTar(t, []tar.Header{{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../outside"}}, ""),
		"hard.tar.gz":   makeTar(t, []tar.Header{{Name: "l", Typeflag: tar.TypeLink, Linkname: "../secret"}}, ""),
		"climb.tar.gz":  makeTar(t, []tar.Header{{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "."}, {Name: "m", Typeflag: tar.TypeSymlink, Linkname: "l/../.."}}, ""),
		"none.zip":      []byte("no archive"),
		"none.tar.gz":   []byte("no archive"),
		"half.tar.gz":   makeTar(t, []tar.Header{{Name: "a", Typeflag: tar.TypeReg}}, strings.Repeat("x", 9999))[:60],
		"empty.zip":     makeZip(t),
		"bomb.zip":      makeZip(t, item{name: "zeros", content: strings.Repeat("\x00", freeSize+1)}),
		"bomb.tar.gz":   makeTar(t, []tar.Header{{Name: "zeros", Typeflag: tar.TypeReg}}, strings.Repeat("\x00", freeSize+1)),
		"nested.zip":    makeZip(t, item{name: strings.Repeat("a/", maxDepth) + "b", content: "x"}),
		"long.zip":      makeZip(t, item{name: strings.Repeat("a", 300), content: "x"}),
		"many.zip":      manyEntries(t),
		"nothing.tgz":   makeTar(t, nil, ""),
		"zipped.tar.gz": makeZip(t, item{name: "a", content: "x"}),
	}
	for name, content := range archives {
		for _, merge := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				outer := t.TempDir()
				dir := filepath.Join(outer, "site")
				save(t, filepath.Join(outer, "secret"), []byte("of others"))
				save(t, filepath.Join(dir, "html", name), content)
				withUploads(t, dir)
				before := names(t, outer)
				to := "/html/new"
				if merge {
					to = "/html"
				}
				a, _ := carry(t, dir, orders.Order{Do: orders.Unpack, Path: "/html/" + name, To: to, Merge: merge})
				if a.Code != orders.BadEntry && a.Code != orders.Broken && a.Code != orders.TooLarge && a.Code != orders.TooMany {
					t.Errorf("answer = %+v, want it refused", a)
				}
				if after := names(t, outer); after != before {
					t.Errorf("there is %q, want as before %q", after, before)
				}
			})
		}
	}
}

// manyEntries is a zip whose list does not fit into a toolbox's memory.
func manyEntries(t testing.TB) []byte {
	t.Helper()
	items := make([]item, 12_000)
	for i := range items {
		items[i].name = strings.Repeat("n", 200) + string(rune('a'+i%26)) + strings.Repeat("/", 1) + strings.Repeat("x", i%50) + string(rune('a'+i/26%26))
	}
	return makeZip(t, items...)
}

func TestAnArchiveComesBackAsItWas(t *testing.T) {
	for _, format := range []string{orders.Zip, orders.TarGz} {
		dir := t.TempDir()
		save(t, filepath.Join(dir, "html/theme/style.css"), []byte("a{}"))
		save(t, filepath.Join(dir, "html/theme/inc/ä b.php"), bytes.Repeat([]byte("<?php"), 99_999))
		if err := os.Chmod(filepath.Join(dir, "html/theme/style.css"), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("inc/ä b.php", filepath.Join(dir, "html/theme/link")); err != nil {
			t.Fatal(err)
		}
		archive := "/html/theme." + format
		if a, _ := carry(t, dir, orders.Order{Do: orders.Pack, Path: "/html", Paths: []string{"theme"}, To: archive, Format: format}); a.Code != "" || a.Entries != 5 {
			t.Fatalf("pack = %+v", a)
		}
		if a, _ := carry(t, dir, orders.Order{Do: orders.Unpack, Path: archive, To: "/html", Merge: true}); a.Code != orders.Exists {
			t.Errorf("%s: unpack over what is there = %+v", format, a)
		}
		if a, _ := carry(t, dir, orders.Order{Do: orders.Unpack, Path: archive, To: "/html/copy"}); a.Code != "" {
			t.Fatalf("unpack = %+v", a)
		}
		if a, _ := carry(t, dir, orders.Order{Do: orders.Unpack, Path: archive, To: "/other", Merge: true}); a.Code != orders.Missing {
			t.Errorf("%s: unpack into a folder that is not there = %+v", format, a)
		}
		got, err := os.ReadFile(filepath.Join(dir, "html/copy/theme/link"))
		if err != nil || len(got) != 5*99_999 {
			t.Errorf("%s: through the link come %d octets, %v", format, len(got), err)
		}
		if info, err := os.Stat(filepath.Join(dir, "html/copy/theme/style.css")); err != nil || info.Mode() != 0o750 {
			t.Errorf("%s: mode = %v, %v", format, info, err)
		}
		if left := names(t, dir); strings.Contains(left, ".part") {
			t.Errorf("%s: left behind: %s", format, left)
		}
	}
}

// An upload that became a file is known to its sender alone, and as long as nobody touches
// the file: what another sends is held against what is there.
func TestAFinishedUploadIsKnownToItsSender(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var known finished
	ask := func(do, sender, content string) orders.Answer {
		w := &work{Order: &orders.Order{Do: do, Part: "0123456789abcdef", Size: 3, To: "/a.txt", Sender: sender}, root: root, finished: &known,
			in: strings.NewReader(content), out: io.Discard, said: io.Discard}
		return w.answer(w.carryOut())
	}
	sends := func(sender string) orders.Answer {
		if a := ask(orders.Append, sender, "new"); a.Code != "" {
			t.Fatalf("append = %+v", a)
		}
		return ask(orders.Finish, sender, "")
	}
	if a := sends("one"); a.Code != "" {
		t.Fatalf("finish = %+v", a)
	}
	if a := ask(orders.Offset, "one", ""); a.Size != 3 || a.Entries != 1 {
		t.Errorf("the sender hears %+v", a)
	}
	for _, other := range []string{"", "two"} {
		if a := ask(orders.Offset, other, ""); a.Size != 0 || a.Entries != 0 {
			t.Errorf("sender %q hears %+v", other, a)
		}
		if a := sends(other); a.Code != orders.Exists {
			t.Errorf("sender %q finishes: %+v", other, a)
		}
		if a := ask(orders.Drop, other, ""); a.Code != "" {
			t.Errorf("drop = %+v", a)
		}
	}
	if a := sends("one"); a.Code != "" || names(t, dir) != ".uploads a.txt" {
		t.Errorf("who sends it again hears %+v, and there is %q", a, names(t, dir))
	}
	save(t, filepath.Join(dir, "a.txt"), []byte("by"))
	if a := ask(orders.Offset, "one", ""); a.Size != 0 || a.Entries != 0 {
		t.Errorf("of a file that somebody changed the sender hears %+v", a)
	}
	if a := sends("one"); a.Code != orders.Exists {
		t.Errorf("what somebody changed is replaced: %+v", a)
	}
}

// Whatever an entry is called, it lands below its folder or is refused.
func FuzzInside(f *testing.F) {
	for _, name := range []string{"a", "a/b", "../a", "/a", `..\a`, "a//b", "./a", "a/./../b", "C:/a", "a\x00b", strings.Repeat("a/", 99)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := inside(name)
		if err != nil {
			return
		}
		if !filepath.IsLocal(got) || strings.Contains(got, `\`) {
			t.Errorf("inside(%q) = %q, which leads out", name, got)
		}
	})
}

// withUploads makes the folder in which drafts are, so that those can be counted.
func withUploads(t *testing.T, dir string) (at string) {
	t.Helper()
	at = filepath.Join(dir, orders.UploadFolder)
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	return at
}

// Whatever an archive says, nothing appears beside it unless all of it does, and
// nothing outside of the site.
func FuzzUnpack(f *testing.F) {
	f.Add(makeZip(f, item{name: "a/b", content: "x"}, item{name: "l", target: "a"}), true)
	f.Add(makeTar(f, []tar.Header{{Name: "a", Typeflag: tar.TypeReg}, {Name: "l", Typeflag: tar.TypeLink, Linkname: "a"}}, "x"), false)
	f.Fuzz(func(t *testing.T, content []byte, zipped bool) {
		outer := t.TempDir()
		dir := filepath.Join(outer, "site")
		name := "archive.tar.gz"
		if zipped {
			name = "archive.zip"
		}
		save(t, filepath.Join(dir, name), content)
		drafts := withUploads(t, dir)
		a, _ := carry(t, dir, orders.Order{Do: orders.Unpack, Path: "/" + name, To: "/new"})
		if left, err := os.ReadDir(drafts); err != nil || len(left) > 0 {
			t.Errorf("drafts %v, %v are left", left, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || a.Code != "" && len(entries) != 2 || a.Code == "" && len(entries) != 3 {
			t.Errorf("after %+v there are %v, %v", a, entries, err)
		}
		if entries, err := os.ReadDir(outer); err != nil || len(entries) != 1 {
			t.Errorf("outside there are %v, %v", entries, err)
		}
	})
}

// Whatever a path is, it stays below the root.
func FuzzLocal(f *testing.F) {
	for _, name := range []string{"", "/", "..", "/../x", "a/../../b", "a\x00", "//", "."} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if got := local(name); !filepath.IsLocal(got) {
			t.Errorf("local(%q) = %q, which leads out", name, got)
		}
	})
}

func FuzzParseInfo(f *testing.F) {
	f.Add("[Trash Info]\nPath=/html/a%20b\nDeletionDate=2026-01-02T03:04:05\n")
	f.Fuzz(func(t *testing.T, text string) {
		if from, _, err := parseInfo(strings.NewReader(text)); err == nil && !filepath.IsLocal(local(from)) {
			t.Errorf("parseInfo(%q) = %q, which leads out", text, from)
		}
	})
}

// listener hears how far an order is, up to when it goes away.
type listener struct {
	said  []orders.Answer
	hears int
}

func (l *listener) Write(line []byte) (int, error) {
	if len(l.said) == l.hears {
		return 0, io.EOF
	}
	var a orders.Answer
	if err := json.Unmarshal(line, &a); err != nil {
		return 0, err
	}
	l.said = append(l.said, a)
	return len(line), nil
}

// Emptying the trash tells how far it is; who goes away ends it, and what was not removed
// yet can be restored.
func TestEmptyingTellsHowFarItIs(t *testing.T) {
	for name, hears := range map[string]int{"heard": 9, "alone": 0} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{"a/1", "a/deep/2", "a/deep/3", "b/1", "b/2", "c/1", "d/1"} {
				save(t, filepath.Join(dir, name), []byte("some"))
			}
			save(t, filepath.Join(dir, "keep"), []byte("kept"))
			if err := os.Symlink("../keep", filepath.Join(dir, "b", "out")); err != nil {
				t.Fatal(err)
			}
			if a, _ := carry(t, dir, orders.Order{Do: orders.Trash, Paths: []string{"/a", "/b", "/c", "/d"}}); a.Code != "" {
				t.Fatalf("trash = %+v", a)
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			l := &listener{hears: hears}
			w := &work{Order: &orders.Order{Do: orders.Empty}, root: root, said: l}
			a := w.answer(w.carryOut())
			_, list := carry(t, dir, orders.Order{Do: orders.Trashed})
			var left []orders.Thrown
			if err := json.Unmarshal([]byte(list), &left); err != nil {
				t.Fatal(err)
			}
			if hears > 0 {
				if a.Code != "" || a.Entries != 13 || a.Size < 7*4 || len(left) != 0 || len(l.said) == 0 || l.said[0].Entries != 1 {
					t.Errorf("empty = %+v after %+v, and %d things are left", a, l.said, len(left))
				}
			} else if a.Code == "" || len(left) != 3 {
				t.Errorf("empty = %+v although nobody listens, and %d things are left, want 3", a, len(left))
			}
			if _, err := os.Stat(filepath.Join(dir, "keep")); err != nil {
				t.Errorf("what a link leads to: %v", err)
			}
			for _, thrown := range left {
				if a, _ := carry(t, dir, orders.Order{Do: orders.Restore, Paths: []string{string(thrown.Name)}}); a.Code != "" {
					t.Errorf("restore %s = %+v", thrown.Name, a)
				}
			}
			if a, _ := carry(t, dir, orders.Order{Do: orders.Empty}); a.Code != "" {
				t.Errorf("empty again = %+v", a)
			}
		})
	}
}

// An archive of a stranger's is unpacked as files, and never as the panel's own folders.
func TestAnArchiveBringsNoFolderOfThePanels(t *testing.T) {
	for _, name := range []string{orders.TrashFolder, orders.UploadFolder, orders.QuarantineFolder} {
		for what, i := range map[string]item{"folder": {name: name + "/files/x", content: "x"}, "link": {name: name, target: "html"}} {
			dir := t.TempDir()
			save(t, filepath.Join(dir, "a.zip"), makeZip(t, item{name: "a.txt", content: "x"}, i))
			if a, _ := carry(t, dir, orders.Order{Do: orders.Unpack, Path: "/a.zip", To: "/", Merge: true}); a.Code != orders.BadEntry {
				t.Errorf("an archive with a %s %s answers %+v", what, name, a)
			}
			if a, _ := carry(t, dir, orders.Order{Do: orders.Unpack, Path: "/a.zip", To: "/" + name}); a.Code != orders.Refused {
				t.Errorf("unpacking as %s answers %+v", name, a)
			}
			for _, left := range []string{"a.txt", orders.TrashFolder, orders.QuarantineFolder} {
				if _, err := os.Lstat(filepath.Join(dir, left)); err == nil {
					t.Errorf("an archive with a %s %s leaves %s behind", what, name, left)
				}
			}
		}
	}
}
