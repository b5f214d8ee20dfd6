package files

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

const part = "00112233445566778899aabbccddeeff"

func mark(t testing.TB, name string) *orders.Mark {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	m := markOf(info)
	return &m
}

// What is harmful goes where nobody opens it, with a note of where it was; it comes back
// as it was, and replaces nothing then.
func TestQuarantineAndBack(t *testing.T) {
	dir := t.TempDir()
	name, kept := filepath.Join(dir, "html/bad\xff.php"), filepath.Join(dir, quarantineFiles, part)
	save(t, name, []byte("bad"))
	order := orders.Order{Do: orders.Quarantine, Octets: []byte("/html/bad\xff.php"), Part: part, Only: mark(t, name)}
	for range 2 { // a panel that did not hear the answer orders again
		a, out := carry(t, dir, order)
		var thrown orders.Thrown
		if err := json.Unmarshal([]byte(out), &thrown); a.Code != "" || err != nil || string(thrown.From) != "/html/bad\xff.php" || thrown.Size != 3 {
			t.Fatalf("quarantine answers %+v, %s, %v", a, out, err)
		}
	}
	if info, err := os.Lstat(kept); err != nil || info.Mode() != 0 {
		t.Errorf("in quarantine there is %v, %v, want a file without permissions", info, err)
	}
	if _, err := os.Lstat(name); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
	if s := stretch(t, dir, orders.Order{Limit: 10}); len(s.Files) != 1 { // the note alone
		t.Errorf("a walk names what is in quarantine: %d files", len(s.Files))
	}
	if err := os.Chmod(kept, 0o644); err != nil {
		t.Fatal(err)
	}
	if s := stretch(t, dir, orders.Order{Limit: 10}); len(s.Files) != 2 {
		t.Errorf("a walk does not name what was opened again: %d files", len(s.Files))
	}
	back := orders.Order{Do: orders.Release, Octets: order.Octets, Part: part, Mode: 0o4640}
	save(t, name, []byte("good"))
	if a, _ := carry(t, dir, back); a.Code != orders.Exists {
		t.Errorf("release over another file answers %+v", a)
	}
	if err := os.RemoveAll(filepath.Dir(name)); err != nil {
		t.Fatal(err)
	}
	if a, _ := carry(t, dir, back); a.Code != "" {
		t.Errorf("release answers %+v", a)
	}
	if info, err := os.Lstat(name); err != nil || info.Mode() != 0o640 {
		t.Errorf("back came %v, %v", info, err)
	}
	if a, _ := carry(t, dir, back); a.Code != orders.Missing {
		t.Errorf("release of nothing answers %+v", a)
	}
	for _, folder := range []string{quarantineFiles, quarantineInfo} {
		if left, err := os.ReadDir(filepath.Join(dir, folder)); err != nil || len(left) != 0 {
			t.Errorf("%s holds %v, %v", folder, left, err)
		}
	}
}

// Only what was looked at is read, and moved: whoever changed the file, or put another in
// its place, has it looked at anew.
func TestOnlyWhatWasLookedAt(t *testing.T) {
	changes := map[string]func(t *testing.T, name string) error{
		"other content": func(_ *testing.T, name string) error { return os.WriteFile(name, []byte("new"), 0o644) },
		"other rights":  func(_ *testing.T, name string) error { return os.Chmod(name, 0o600) },
		"another file":  func(_ *testing.T, name string) error { return os.Rename(name+".other", name) },
		"another folder": func(_ *testing.T, name string) error {
			return os.Rename(filepath.Dir(name)+".other", filepath.Dir(name))
		},
		"a link": func(_ *testing.T, name string) error {
			return os.Symlink("/etc/passwd", name)
		},
	}
	for what, change := range changes {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, "html/a.php")
			save(t, name+".other", []byte("old"))
			save(t, filepath.Join(dir, "html.other/a.php"), []byte("old"))
			save(t, name, []byte("old"))
			is := mark(t, name)
			time.Sleep(20 * time.Millisecond) // more than a tick of the kernel's clock
			if what == "a link" {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
			if what == "another folder" {
				if err := os.Rename(filepath.Join(dir, "html"), filepath.Join(dir, "away")); err != nil {
					t.Fatal(err)
				}
			}
			if err := change(t, name); err != nil {
				t.Fatal(err)
			}
			for _, do := range []string{orders.Read, orders.Quarantine} {
				a, _ := carry(t, dir, orders.Order{Do: do, Path: "/html/a.php", Part: part, Only: is})
				if a.Code != orders.Changed && (what != "a link" || a.Code != orders.Refused) {
					t.Errorf("%s answers %+v", do, a)
				}
			}
			if _, err := os.Lstat(name); err != nil {
				t.Error(err)
			}
		})
	}
}

// A name of a file in quarantine is the panel's, and leads nowhere else.
func TestQuarantineTakesNoOtherNames(t *testing.T) {
	dir := t.TempDir()
	save(t, filepath.Join(dir, "html/a.php"), []byte("x"))
	for _, do := range []string{orders.Quarantine, orders.Release, orders.Discard} {
		for _, part := range []string{"", "../../html/a.php", "a.php", "0011223344556677/x"} {
			if a, _ := carry(t, dir, orders.Order{Do: do, Path: "/html/a.php", Part: part, Only: mark(t, filepath.Join(dir, "html/a.php"))}); a.Code != orders.Refused {
				t.Errorf("%s of %q answers %+v", do, part, a)
			}
		}
	}
}

// The quarantine is emptied as the trash is.
func TestQuarantineIsEmptied(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "bad.php")
	save(t, name, []byte("x"))
	if a, _ := carry(t, dir, orders.Order{Do: orders.Quarantine, Path: "/bad.php", Part: part, Only: mark(t, name)}); a.Code != "" {
		t.Fatal(a)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := &Sweeper{Root: root, After: time.Hour}
	if n, err := s.sweep(t.Context(), time.Now().Add(30*time.Minute)); n != 0 || err != nil {
		t.Errorf("sweep removed %d, %v, before its time", n, err)
	}
	if n, err := s.sweep(t.Context(), time.Now().Add(2*time.Hour)); n != 1 || err != nil {
		t.Errorf("sweep removed %d, %v", n, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, quarantineFiles, part)); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

// Whoever knows what a file will be called in quarantine has not saved it by putting
// something else there.
func TestWhatLiesInQuarantineIsWhatWasMeant(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "bad.php")
	save(t, name, []byte("bad"))
	save(t, filepath.Join(dir, quarantineFiles, part), []byte("planted"))
	a, _ := carry(t, dir, orders.Order{Do: orders.Quarantine, Path: "/bad.php", Part: part, Only: mark(t, name)})
	if a.Code != orders.Refused {
		t.Errorf("quarantine where something lies answers %+v, and the file is still there", a)
	}
}

// A link that took the file's place in the last moment is not the file.
func TestALinkIsNotLockedForWhatItLeadsTo(t *testing.T) {
	dir := t.TempDir()
	hidden := filepath.Join(dir, "hidden.php")
	save(t, hidden, []byte("bad"))
	if err := os.MkdirAll(filepath.Join(dir, quarantineFiles), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../hidden.php", filepath.Join(dir, quarantineFiles, part)); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	w := &work{Order: &orders.Order{Only: mark(t, hidden)}, root: root}
	if code := w.answer(w.lock(quarantineFiles + "/" + part)).Code; code != orders.Changed {
		t.Errorf("a link in quarantine answers %q, want %q", code, orders.Changed)
	}
}
