package files

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

const aMonth = 30 * 24 * time.Hour

// bin is a site's folder with what the tests put into its trash.
type bin struct {
	testing.TB
	dir string
}

func newBin(t testing.TB) bin { return bin{t, t.TempDir()} }

// put writes a file below the site's folder.
func (b bin) put(name, content string) {
	b.Helper()
	name = filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
}

// note says when something was thrown away, as the panel's own notes do.
func (b bin) note(id string, at time.Time) {
	b.Helper()
	b.put(".trash/info/"+id+infoEnd, "[Trash Info]\nPath=/html/"+id+"\nDeletionDate="+at.UTC().Format(dateFormat)+"\n")
}

// sweep looks once, as if it were then, and says what failed.
func (b bin) sweep(now time.Time) (int, error) {
	b.Helper()
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	s := &Sweeper{Root: root, After: aMonth, Log: slog.New(slog.DiscardHandler)}
	return s.sweep(context.Background(), now)
}

// left lists all files below the site's folder.
func (b bin) left() []string {
	b.Helper()
	var all []string
	err := filepath.WalkDir(b.dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, strings.TrimPrefix(name, b.dir+"/"))
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return all
}

func (b bin) wants(files ...string) {
	b.Helper()
	slices.Sort(files)
	if got := b.left(); !slices.Equal(got, files) {
		b.Errorf("there are %q, want %q", got, files)
	}
}

func TestTheTrashIsEmptiedOfWhatIsOld(t *testing.T) {
	now := time.Now()
	b := newBin(t)
	if removed, err := b.sweep(now); removed != 0 || err != nil {
		t.Fatalf("without a trash: %d, %v", removed, err)
	}
	b.put("html/index.php", "stays")
	b.put(".trash/files/old/deep/er/a.txt", "goes, a folder")
	b.note("old", now.Add(-aMonth-time.Minute))
	b.put(".trash/files/young", "stays")
	b.note("young", now.Add(-aMonth+time.Minute))
	// A file that was old when it was thrown away is no older in the trash.
	b.put(".trash/files/ancient", "stays")
	b.note("ancient", now.Add(-time.Hour))
	if err := os.Chtimes(filepath.Join(b.dir, ".trash/files/ancient"), now.Add(-9*aMonth), now.Add(-9*aMonth)); err != nil {
		t.Fatal(err)
	}
	// Without a note that can be read, Linux' own knows when it came.
	b.put(".trash/files/unnoted", "stays")
	b.put(".trash/files/misnoted", "stays")
	b.put(".trash/info/misnoted"+infoEnd, "[Trash Info]\nPath=/html/x\nDeletionDate=long ago\n")
	// A note about nothing is about something that is on its way.
	b.note("on-its-way", now.Add(-9*aMonth))

	removed, err := b.sweep(now)
	if removed != 1 || err != nil {
		t.Errorf("removed %d, %v; want 1", removed, err)
	}
	b.wants("html/index.php", ".trash/files/young", ".trash/info/young"+infoEnd, ".trash/files/ancient", ".trash/info/ancient"+infoEnd,
		".trash/files/unnoted", ".trash/files/misnoted", ".trash/info/misnoted"+infoEnd, ".trash/info/on-its-way"+infoEnd)

	if removed, err := b.sweep(now.Add(2 * aMonth)); removed != 4 || err != nil {
		t.Errorf("two months later: removed %d, %v; want 4", removed, err)
	}
	b.wants("html/index.php")
}

// A sweep that was killed had renamed and not yet removed; none of it is in the trash
// that the panel shows.
func TestASweepGoesOnWhereAKilledOneEnded(t *testing.T) {
	now := time.Now()
	b := newBin(t)
	b.put(".trash/expunged/half/removed.txt", "the rest of a folder")
	b.note("half", now.Add(-2*aMonth))
	b.put(".trash/files/whole", "stays")
	b.note("whole", now)
	if answer, said := carry(t, b.dir, orders.Order{Do: orders.Trashed}); strings.Contains(said, "aGFsZg") || answer.Code != "" {
		t.Errorf("the panel is shown what is being removed: %s", said)
	}
	if _, err := b.sweep(now); err != nil {
		t.Error(err)
	}
	b.wants(".trash/files/whole", ".trash/info/whole"+infoEnd, ".trash/info/half"+infoEnd)
}

// A site's own programs may put anything in the trash's place.
func TestASweepFollowsNoLink(t *testing.T) {
	long := time.Now().Add(9 * aMonth)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := func(b bin, target, name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(b.dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(b.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("in the trash", func(t *testing.T) {
		b := newBin(t)
		b.put("html/files/kept", "")
		link(b, "../../html", ".trash/files/to-a-folder")
		link(b, outside, ".trash/files/to-the-outside")
		if removed, err := b.sweep(long); removed != 2 || err != nil {
			t.Errorf("removed %d, %v; want both links", removed, err)
		}
		b.wants("html/files/kept")
	})
	t.Run("the trash itself", func(t *testing.T) {
		b := newBin(t)
		b.put("html/files/kept", "")
		link(b, "html", ".trash")
		if removed, err := b.sweep(long); removed != 0 || err == nil {
			t.Errorf("removed %d, %v; want an error", removed, err)
		}
		b.wants("html/files/kept", ".trash")
	})
	t.Run("its folder", func(t *testing.T) {
		b := newBin(t)
		b.put("html/kept", "")
		link(b, "../html", ".trash/files")
		link(b, "../html", ".trash/info")
		link(b, "../html", ".trash/expunged")
		if removed, err := b.sweep(long); removed != 0 || err == nil {
			t.Errorf("removed %d, %v; want an error", removed, err)
		}
		if _, err := os.Stat(filepath.Join(b.dir, "html/kept")); err != nil {
			t.Error(err)
		}
	})
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

// A pipe for a note would keep whoever reads it for good.
func TestANoteThatIsNoFileIsNotRead(t *testing.T) {
	b := newBin(t)
	b.put(".trash/files/odd", "")
	if err := os.MkdirAll(filepath.Join(b.dir, ".trash/info"), 0o700); err != nil {
		t.Fatal(err)
	}
	makePipe(t, filepath.Join(b.dir, ".trash/info/odd"+infoEnd))
	if removed, err := b.sweep(time.Now().Add(9 * aMonth)); removed != 1 || err != nil {
		t.Errorf("removed %d, %v; want it gone by Linux' own date", removed, err)
	}
	b.wants()
}

func TestTheTrashTellsUntilWhen(t *testing.T) {
	b := newBin(t)
	thrown := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b.put(".trash/files/a", "")
	b.note("a", thrown)
	for days, want := range map[time.Duration]time.Time{0: {}, aMonth: thrown.Add(aMonth)} {
		root, err := os.OpenRoot(b.dir)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		w := &work{Order: &orders.Order{Do: orders.Trashed}, root: root, trashFor: days, out: &out}
		err = w.trashed()
		_ = root.Close()
		var all []orders.Thrown
		if err != nil || json.Unmarshal([]byte(out.String()), &all) != nil || len(all) != 1 || !all[0].Until.Equal(want) {
			t.Errorf("kept for %s: %s, %v; want until %s", days, out.String(), err, want)
		}
	}
}

func makePipe(t testing.TB, name string) {
	t.Helper()
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What a toolbox that was killed had begun, and uploads that nobody goes on with, go even
// where things stay in the trash for good. What is under way stays, and so does what
// somebody called so himself.
func TestWhatAKilledToolboxBeganGoes(t *testing.T) {
	b := newBin(t)
	b.put(".uploads/.ABCDEFGHIJKL.part/deep/er/a.txt", "a copy")
	b.put(".uploads/.ABCDEFGHIJ23.part", "an archive")
	b.put(".uploads/0123456789abcdef", "an upload")
	mine := []string{".uploads/.mine.part", ".uploads/notes.txt", "html/.ABCDEFGHIJKL.part", ".trash/files/.ABCDEFGHIJKL.part"}
	for _, name := range mine {
		b.put(name, "mine")
	}
	// A copy has the time of what it is one of.
	if err := os.Chtimes(filepath.Join(b.dir, ".uploads/.ABCDEFGHIJ23.part"), time.Unix(0, 0), time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := &Sweeper{Root: root, Log: slog.New(slog.DiscardHandler)}
	all := slices.Concat(mine, []string{".uploads/.ABCDEFGHIJKL.part/deep/er/a.txt", ".uploads/.ABCDEFGHIJ23.part", ".uploads/0123456789abcdef"})
	for _, look := range []struct {
		after   time.Duration
		removed int
		left    []string
	}{
		{draftLife - time.Minute, 0, all},
		{draftLife + time.Minute, 2, append(slices.Clone(mine), ".uploads/0123456789abcdef")},
		{uploadLife + time.Minute, 1, mine},
	} {
		if n, err := s.sweep(t.Context(), time.Now().Add(look.after)); n != look.removed || err != nil {
			t.Errorf("after %s: removed %d, %v; want %d", look.after, n, err, look.removed)
		}
		b.wants(slices.Clone(look.left)...)
	}
	// The folder of uploads as a link leads nowhere.
	other := newBin(t)
	other.put("html/.ABCDEFGHIJKL.part", "mine")
	if err := os.Symlink("html", filepath.Join(other.dir, ".uploads")); err != nil {
		t.Fatal(err)
	}
	if n, err := other.sweep(time.Now().Add(aMonth)); n != 0 || err == nil {
		t.Errorf("through a link: removed %d, %v", n, err)
	}
	other.wants(".uploads", "html/.ABCDEFGHIJKL.part")
}

// A draft is where a Sweeper finds it, and there is none whose place can not be.
func TestADraftIsMadeWhereASweeperLooks(t *testing.T) {
	b := newBin(t)
	b.put("html/a.txt", "content")
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	w := &work{Order: &orders.Order{}, root: root}
	name, err := w.draft("html/b.txt")
	folder, file := filepath.Split(name)
	if err != nil || folder != orders.UploadFolder+"/" || !draftName.MatchString(file) || partName.MatchString(file) {
		t.Errorf("draft = %q, %v", name, err)
	}
	for _, place := range []string{"none/b.txt", "html/a.txt/b.txt"} {
		if _, err := w.draft(place); err == nil {
			t.Errorf("there is a draft for %s", place)
		}
	}
}
