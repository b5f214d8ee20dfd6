package files

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

// walks orders all stretches of a walk and returns the paths.
func walks(t testing.TB, dir string, o orders.Order) (paths []string, stretches, seen int) {
	t.Helper()
	o.Do = orders.Walk
	for {
		stretches++
		s := stretch(t, dir, o)
		seen += s.Seen
		for _, f := range s.Files {
			paths = append(paths, string(f.Path))
		}
		if len(s.Last) == 0 {
			return paths, stretches, seen
		}
		o.After = s.Last
	}
}

func stretch(t testing.TB, dir string, o orders.Order) orders.Stretch {
	t.Helper()
	o.Do = orders.Walk
	a, out := carry(t, dir, o)
	if a.Code != "" {
		t.Fatalf("walk answers %+v", a)
	}
	var s orders.Stretch
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func changedAt(t testing.TB, name string) int64 {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return markOf(info).Changed
}

// A walk names each plain file once, in one order, however long its stretches are, and
// nothing that a link leads to.
func TestWalkNamesEachFileOnce(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	save(t, filepath.Join(out, "secret"), []byte("x"))
	var want []string
	for _, name := range []string{"a", "a.b/c", "a/b", "html/index.php", "html/x/y/z.php", "html/x/y.php", "html/bad\xff\n.php", ".trash/files/t", ".uploads/u"} {
		if name == "a" {
			continue // a folder
		}
		save(t, filepath.Join(dir, name), []byte("x"))
		want = append(want, "/"+name)
	}
	save(t, filepath.Join(dir, "html/empty"), nil)
	for link, to := range map[string]string{"html/out": out, "html/loop": "..", "html/a.php": filepath.Join(out, "secret")} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "html/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	byParts := func(a, b string) int { return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/")) }
	slices.SortFunc(want, byParts)
	for _, limit := range []int{1, 2, 3, 100} {
		if got, _, _ := walks(t, dir, orders.Order{Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("with %d at once the walk names %q, want %q", limit, got, want)
		}
	}
}

// What counts is when Linux last changed the file, which nobody can set, and not what its
// owner says.
func TestWalkSeesAChangeBehindAnOldDate(t *testing.T) {
	dir := t.TempDir()
	old, changed := filepath.Join(dir, "old.php"), filepath.Join(dir, "new.php")
	save(t, old, []byte("x"))
	time.Sleep(20 * time.Millisecond) // more than a tick of the kernel's clock
	save(t, changed, []byte("x"))
	long := time.Unix(1e9, 0)
	if err := os.Chtimes(changed, long, long); err != nil {
		t.Fatal(err)
	}
	since := changedAt(t, old) + 1
	if got, _, _ := walks(t, dir, orders.Order{Since: since, Limit: 10}); !slices.Equal(got, []string{"/new.php"}) {
		t.Errorf("the walk names %q", got)
	}
}

// A folder with more names than are held at once, and folders deeper than their names can
// be held, are walked through all the same, and in stretches.
func TestWalkOfMoreThanIsHeld(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	const many = 2*chunkNames + 500
	long := strings.Repeat("n", 150)
	for folder, count := range map[string]int{"wide": many, "a": chunkNames, "a/b": chunkNames, "a/b/c": chunkNames} {
		if err := root.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		in, err := root.OpenRoot(folder)
		if err != nil {
			t.Fatal(err)
		}
		for i := range count {
			if err := in.Symlink("x", fmt.Sprintf("%s%06d", long, i)); err != nil { // quicker than files
				t.Fatal(err)
			}
		}
		if err := in.WriteFile("zz.php", []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		_ = in.Close()
	}
	k := &walker{work: &work{Order: &orders.Order{}, root: root, said: io.Discard}, limit: 100, end: time.Now().Add(time.Hour)}
	k.enter("")
	most := 0
	for len(k.levels) > 0 {
		l := k.levels[len(k.levels)-1]
		switch {
		case len(l.next) > 0:
			k.held -= len(l.next[0]) + perName
			l.last, l.next = l.next[0], l.next[1:]
			k.pass(below(l.path, l.last))
		case l.more:
			if err := k.fill(l); err != nil {
				t.Fatal(err)
			}
		default:
			k.levels = k.levels[:len(k.levels)-1]
		}
		most = max(most, k.held)
	}
	if all := many + 3*chunkNames + 4 + 4; k.stretch.Seen != all || len(k.stretch.Files) != 4 {
		t.Errorf("the walk passed %d names and named %d files, want %d and 4", k.stretch.Seen, len(k.stretch.Files), all)
	}
	if k.held != 0 || most > heldNames+chunkNames*(len(long)+6+perName) {
		t.Errorf("names of up to %d octets are held, %d in the end", most, k.held)
	}
	if got, _, seen := walks(t, dir, orders.Order{Limit: 1}); len(got) != 4 || seen < k.stretch.Seen {
		t.Errorf("in stretches the walk names %q of %d", got, seen)
	}
}

// What nobody can open by its path, or may look into, is counted and stops nothing.
func TestWalkPassesWhatItCannotReach(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	in, name := root, strings.Repeat("d", 250)
	for range 20 {
		if err := in.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
		deeper, err := in.OpenRoot(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = deeper.Close() })
		in = deeper
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // by parts: its path is too long for others
	if err := in.WriteFile("deep.php", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	save(t, filepath.Join(dir, "z.php"), []byte("x"))
	s := stretch(t, dir, orders.Order{Limit: 10})
	if len(s.Files) != 1 || string(s.Files[0].Path) != "/z.php" || s.Skipped != 1 {
		t.Errorf("the walk gives %d files, %d skipped, want z.php and one skipped", len(s.Files), s.Skipped)
	}
}

// Wherever a walk is told to go on, it ends, stays in the site and goes forward.
func FuzzWalkGoesOn(f *testing.F) {
	dir := f.TempDir()
	for _, name := range []string{"a/b/c", "a/b.d", "html/x", "z"} {
		save(f, filepath.Join(dir, name), []byte("x"))
	}
	for _, after := range []string{"", "a", "a/b", "a/b/c", "a/b/c/d", "/../..", "html\x00", "zz", "a//b/"} {
		f.Add(after)
	}
	f.Fuzz(func(t *testing.T, after string) {
		s := stretch(t, dir, orders.Order{Limit: 10, After: []byte(after)})
		cursor := strings.Split(local(after), "/")
		for _, file := range s.Files {
			parts := strings.Split(strings.TrimPrefix(string(file.Path), "/"), "/")
			if after != "" && local(after) != "." && slices.Compare(parts, cursor) <= 0 {
				t.Errorf("behind %q comes %q", after, file.Path)
			}
		}
		if len(s.Files) > 4 || len(s.Last) > 0 {
			t.Errorf("behind %q come %d files, and then %q", after, len(s.Files), s.Last)
		}
	})
}

// BenchmarkWalk walks through a site of ordinary shape in which nothing changed.
func BenchmarkWalk(b *testing.B) {
	dir := b.TempDir()
	const folders, each = 200, 50
	for i := range folders {
		for j := range each {
			save(b, filepath.Join(dir, fmt.Sprintf("html/wp-content/%d/%d/%d.php", i%10, i, j)), []byte("x"))
		}
	}
	for b.Loop() {
		if got, _, seen := walks(b, dir, orders.Order{Since: time.Now().Add(time.Hour).UnixNano(), Limit: 100}); len(got) != 0 || seen < folders*each {
			b.Fatalf("the walk passed %d", seen)
		}
	}
}
