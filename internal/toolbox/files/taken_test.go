package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"testing"

	"kubepanel.io/kubepanel/internal/orders"
)

// meetings is how often an order and a file that appears in its place try to meet.
const meetings = 300

// meeting is an order whose place is free when it looks.
type meeting struct {
	orders.Order

	// place is what the file that appears takes, once after is there.
	place, after string
}

// meet carries out the order while somebody makes a file at its place. It returns the
// answer, and whether that file was there before.
func meet(t *testing.T, dir string, m meeting) (a orders.Answer, made bool) {
	t.Helper()
	var over atomic.Bool
	ended := make(chan bool)
	go func() {
		for !over.Load() {
			if _, err := os.Lstat(filepath.Join(dir, m.after)); err != nil {
				continue
			}
			file, err := os.OpenFile(filepath.Join(dir, m.place), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil {
				_, err = file.WriteString("mine")
				err = errors.Join(err, file.Close())
			}
			ended <- err == nil
			return
		}
		ended <- false
	}()
	a, _ = carry(t, dir, m.Order)
	over.Store(true)
	return a, <-ended
}

// ends are the names that a folder tells first and last; others of the same names are told
// in the same order.
func ends(t *testing.T, dir string, paths []string) (first, last string) {
	t.Helper()
	folder, err := os.Open(filepath.Join(dir, path.Dir(paths[0])))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	if err != nil || len(names) != len(paths) {
		t.Fatalf("read a folder: %d names, %v", len(names), err)
	}
	return names[0], names[len(names)-1]
}

// What appears at a place after an order looked whether that is free is not replaced.
func TestWhatAppearsMeanwhileStays(t *testing.T) {
	const many = 300 // an order looks at all places before it takes the first
	some := func(t *testing.T, dir, folder string) (paths []string) {
		t.Helper()
		for i := range many {
			name := fmt.Sprintf("%s/%03d", folder, i)
			save(t, filepath.Join(dir, name), []byte("moved"))
			paths = append(paths, "/"+name)
		}
		return paths
	}
	for name, prepare := range map[string]func(t *testing.T, dir string) meeting{
		"move": func(t *testing.T, dir string) meeting {
			save(t, filepath.Join(dir, "to/other"), nil)
			return meeting{orders.Order{Do: orders.Move, Paths: some(t, dir, "from"), To: "/to"}, fmt.Sprintf("to/%03d", many-1), "to/000"}
		},
		"merge": func(t *testing.T, dir string) meeting {
			items := make([]item, many)
			for i := range items {
				items[i] = item{name: fmt.Sprintf("%03d", i), content: "moved"}
			}
			save(t, filepath.Join(dir, "a.zip"), makeZip(t, items...))
			save(t, filepath.Join(dir, "to/other"), nil)
			first, last := ends(t, dir, some(t, dir, "like"))
			return meeting{orders.Order{Do: orders.Unpack, Path: "/a.zip", To: "/to", Merge: true}, "to/" + last, "to/" + first}
		},
		"restore": func(t *testing.T, dir string) meeting {
			save(t, filepath.Join(dir, "gone/a"), []byte("moved"))
			if a, _ := carry(t, dir, orders.Order{Do: orders.Trash, Paths: []string{"/gone/a"}}); a.Code != "" {
				t.Fatalf("trash = %+v", a)
			}
			if err := os.Remove(filepath.Join(dir, "gone")); err != nil {
				t.Fatal(err)
			}
			thrown, err := filepath.Glob(filepath.Join(dir, trashFiles, "*"))
			if err != nil || len(thrown) != 1 {
				t.Fatalf("in the trash are %q, %v", thrown, err)
			}
			return meeting{orders.Order{Do: orders.Restore, Paths: []string{path.Base(thrown[0])}}, "gone/a", "gone"}
		},
		"finish": func(t *testing.T, dir string) meeting {
			save(t, filepath.Join(dir, orders.UploadFolder, "0123456789abcdef"), []byte("moved"))
			return meeting{orders.Order{Do: orders.Finish, Part: "0123456789abcdef", To: "/new/a", Size: 5}, "new/a", "new"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range meetings {
				dir := t.TempDir()
				m := prepare(t, dir)
				a, made := meet(t, dir, m)
				if !made {
					continue
				}
				if content, err := os.ReadFile(filepath.Join(dir, m.place)); err != nil || string(content) != "mine" {
					t.Errorf("what appeared is %q, %v", content, err)
				}
				if a.Code != orders.Exists || a.Path != "/"+m.place {
					t.Errorf("the answer is %+v, want that /%s exists", a, m.place)
				}
				return
			}
			t.Logf("they never met in %d times", meetings)
		})
	}
}

// intruder makes a file when an order first says how far it is, which is after it looked.
type intruder struct{ place string }

// Write implements io.Writer.
func (i intruder) Write(said []byte) (int, error) {
	return len(said), os.WriteFile(i.place, []byte("mine"), 0o600)
}

func TestWhatAppearsWhileADraftGrowsStays(t *testing.T) {
	for name, o := range map[string]orders.Order{
		"copy":   {Do: orders.Copy, Paths: []string{"/html"}, To: "/new", Rename: true},
		"pack":   {Do: orders.Pack, Path: "/", Paths: []string{"html"}, To: "/new", Format: orders.Zip},
		"unpack": {Do: orders.Unpack, Path: "/a.zip", To: "/new"},
		"merge":  {Do: orders.Unpack, Path: "/a.zip", To: "/", Merge: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			save(t, filepath.Join(dir, "html/a"), []byte("x"))
			save(t, filepath.Join(dir, "a.zip"), makeZip(t, item{name: "new", content: "x"}))
			drafts := withUploads(t, dir)
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			place := filepath.Join(dir, "new")
			w := &work{Order: &o, root: root, out: io.Discard, said: intruder{place}}
			if a := w.answer(w.carryOut()); a.Code != orders.Exists || a.Path != "/new" {
				t.Errorf("the answer is %+v, want that /new exists", a)
			}
			if content, err := os.ReadFile(place); err != nil || string(content) != "mine" {
				t.Errorf("what appeared is %q, %v", content, err)
			}
			if left := names(t, drafts); left != "" {
				t.Errorf("drafts %q are left", left)
			}
		})
	}
}
