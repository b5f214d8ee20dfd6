package door_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
	"kubepanel.io/kubepanel/internal/panel/door"
	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
)

func TestMain(m *testing.M) { toolboxtest.Main(m) }

const site = "blog.example"

func visit() hosting.Visit { return hosting.Visit{Account: "jo", Site: site} }

// do gives an order and returns what it gives.
func do(t *testing.T, d hosting.Door, o orders.Order, content string) (orders.Answer, string) {
	t.Helper()
	var out bytes.Buffer
	o.Size = max(o.Size, int64(len(content)))
	answer, err := d.Order(t.Context(), visit(), o, strings.NewReader(content), &out)
	if err != nil {
		t.Fatalf("%s: %v", o.Do, err)
	}
	return answer, out.String()
}

func sum(content string) string {
	s := sha256.Sum256([]byte(content))
	return hex.EncodeToString(s[:])
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAFolderIsListedInParts(t *testing.T) {
	s := doortest.New(t)
	root, _ := s.Site(site)
	for i := range 7 {
		write(t, filepath.Join(root, "html", fmt.Sprintf("f%d.php", i)), strings.Repeat("x", i))
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(root, "html", "out")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "html", "zoo", "a"), "")
	answer, text := do(t, s, orders.Order{Do: orders.List, Path: "/html", Offset: 0, Limit: 3}, "")
	var l orders.Listing
	if err := json.Unmarshal([]byte(text), &l); err != nil || answer.Code != "" {
		t.Fatalf("%v, %v", answer, err)
	}
	if l.Total != 9 || len(l.Files) != 3 || string(l.Files[0].Name) != "zoo" || string(l.Files[2].Name) != "f1.php" || l.Files[2].Size != 1 {
		t.Errorf("listing = %+v", l)
	}
	_, text = do(t, s, orders.Order{Do: orders.List, Path: "/html", Offset: 8, Limit: 3}, "")
	if err := json.Unmarshal([]byte(text), &l); err != nil || len(l.Files) != 1 || l.Files[0].Kind != orders.KindLink || string(l.Files[0].Target) != "/etc/passwd" {
		t.Errorf("the last part = %+v, %v", l, err)
	}
}

func TestNothingLeadsOutOfASite(t *testing.T) {
	s := doortest.New(t)
	root, _ := s.Site(site)
	outside := t.TempDir()
	write(t, filepath.Join(outside, "secret"), "of the neighbour")
	for name, target := range map[string]string{"out": outside, "up": "../../..", "file": filepath.Join(outside, "secret")} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "mine"), "mine")
	for _, o := range []orders.Order{
		{Do: orders.Read, Path: "/out/secret"}, {Do: orders.Read, Path: "/file"}, {Do: orders.Read, Path: "/../../" + outside + "/secret"},
		{Do: orders.List, Path: "/out"}, {Do: orders.List, Path: "/up"}, {Do: orders.Stat, Path: "/out/secret"},
		{Do: orders.Save, Path: "/out/new"}, {Do: orders.Mkdir, Path: "/out/new"}, {Do: orders.Mode, Path: "/out/secret", Mode: 0o777},
		{Do: orders.Mode, Path: "/file", Mode: 0o777},
		{Do: orders.Move, Paths: []string{"/mine"}, To: "/out"}, {Do: orders.Move, Paths: []string{"/mine"}, To: "/out/mine", Rename: true},
		{Do: orders.Copy, Paths: []string{"/out/secret"}, To: "/stolen", Rename: true}, {Do: orders.Copy, Paths: []string{"/mine"}, To: "/out"},
		{Do: orders.Trash, Paths: []string{"/out/secret"}},
		{Do: orders.Append, Part: "../../../mine"}, {Do: orders.Offset, Part: "../mine"},
	} {
		answer, text := do(t, s, o, "x")
		if answer.Code == "" || strings.Contains(text, "neighbour") {
			t.Errorf("%+v = %+v %q, want it refused", o, answer, text)
		}
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 || content(t, filepath.Join(outside, "secret")) != "of the neighbour" {
		t.Errorf("outside is %v now, %v", entries, err)
	}
	if content(t, filepath.Join(root, "mine")) != "mine" {
		t.Error("a refused move took the file away")
	}
}

// The site ends a refused order before it has read what comes with it, so that the
// sender meets a closed channel now and then, before the answer is read.
func TestARefusalIsHeardWhileTheContentIsSent(t *testing.T) {
	s := doortest.New(t)
	s.Site(site)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 500 {
				o := orders.Order{Do: orders.Mode, Path: "/missing", Mode: 0o777, Size: 1}
				answer, err := s.Order(t.Context(), visit(), o, strings.NewReader("x"), io.Discard)
				if err != nil || answer.Code != orders.Missing {
					t.Errorf("answer = %+v, %v (%v), want that it is missing", answer, err, errors.Unwrap(err))
					return
				}
			}
		})
	}
	all.Wait()
}

func TestAFileIsSavedOnlyOverWhatItsEditorSaw(t *testing.T) {
	s := doortest.New(t)
	root, _ := s.Site(site)
	file := filepath.Join(root, "html", "a.php")
	write(t, file, "one")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if a, _ := do(t, s, orders.Order{Do: orders.Save, Path: "/html/a.php", Sum: sum("one")}, "two"); a.Code != "" || content(t, file) != "two" {
		t.Fatalf("save = %+v", a)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o640 {
		t.Errorf("the permissions became %v, %v", info.Mode(), err)
	}
	if a, _ := do(t, s, orders.Order{Do: orders.Save, Path: "/html/a.php", Sum: sum("one")}, "three"); a.Code != orders.Changed || content(t, file) != "two" {
		t.Errorf("save over a change = %+v, and the file is %q", a, content(t, file))
	}
	if a, _ := do(t, s, orders.Order{Do: orders.Save, Path: "/html/a.php"}, "new"); a.Code != orders.Exists {
		t.Errorf("a new file over one that is there = %+v", a)
	}
	// Content that ends early is not taken for the whole.
	a, err := s.Order(t.Context(), visit(), orders.Order{Do: orders.Save, Path: "/html/a.php", Sum: sum("two"), Size: 99}, strings.NewReader("half"), nil)
	if err != nil || a.Code != orders.Failed || content(t, file) != "two" {
		t.Errorf("half of a file = %+v, %v", a, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestAnUploadGoesOnWhereItWasCut(t *testing.T) {
	s := doortest.New(t)
	root, _ := s.Site(site)
	const part = "0123456789abcdef0123456789abcdef"
	whole := strings.Repeat("0123456789", 200_000)
	// It was thrown away meanwhile, or never began.
	if a, _ := do(t, s, orders.Order{Do: orders.Append, Part: part, Offset: 1}, "x"); a.Code != orders.Changed || a.Size != 0 {
		t.Errorf("going on with what is not there = %+v", a)
	}
	// The sender goes away in the middle of a piece.
	cut := io.MultiReader(strings.NewReader(whole[:700_000]), broken{})
	if _, err := s.Order(t.Context(), visit(), orders.Order{Do: orders.Append, Part: part, Size: int64(len(whole))}, cut, nil); err == nil {
		t.Error("a sender that went away is no error")
	}
	a, _ := do(t, s, orders.Order{Do: orders.Offset, Part: part}, "")
	if a.Size > 700_000 {
		t.Fatalf("offset = %+v", a)
	}
	if a, _ := do(t, s, orders.Order{Do: orders.Append, Part: part, Offset: a.Size + 1}, "x"); a.Code != orders.Changed {
		t.Errorf("a gap = %+v", a)
	}
	// A piece that nobody had begun to write was no part of the offset.
	for a.Code = orders.Changed; a.Code == orders.Changed && a.Size <= 700_000; {
		a, _ = do(t, s, orders.Order{Do: orders.Append, Part: part, Offset: a.Size}, whole[a.Size:])
	}
	if a.Code != "" || a.Size != int64(len(whole)) {
		t.Fatalf("append = %+v", a)
	}
	if a, _ := do(t, s, orders.Order{Do: orders.Finish, Part: part, Size: int64(len(whole)) + 1, To: "/html/up/file"}, ""); a.Code != orders.Changed {
		t.Errorf("an upload that is not whole = %+v", a)
	}
	if a, _ := do(t, s, orders.Order{Do: orders.Finish, Part: part, Size: int64(len(whole)), To: "/html/up/file"}, ""); a.Code != "" || content(t, filepath.Join(root, "html/up/file")) != whole {
		t.Errorf("finish = %+v", a)
	}
}

// Who was cut off comes back sooner than the toolbox sees that the piece has ended.
func TestAnUploadWaitsForThePieceThatWasCut(t *testing.T) {
	s := doortest.New(t)
	root, _ := s.Site(site)
	const part = "0123456789abcdef0123456789abcdef"
	if a, _ := do(t, s, orders.Order{Do: orders.Append, Part: part, Size: 6}, "one"); a.Code != "" || a.Size != 3 {
		t.Fatalf("append = %+v", a)
	}
	for what, o := range map[string]orders.Order{"the offset": {Do: orders.Offset, Part: part}, "the next piece": {Do: orders.Append, Part: part, Offset: 6, Size: 3}} {
		former, err := os.OpenFile(filepath.Join(root, orders.UploadFolder, part), os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Flock(int(former.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		late := make(chan error, 1)
		time.AfterFunc(200*time.Millisecond, func() {
			_, err := former.WriteString("onetwo")
			late <- errors.Join(err, former.Close())
		})
		a, _ := do(t, s, o, "")
		if err := <-late; err != nil || a.Code != "" || a.Size != 6 {
			t.Errorf("%s while a former piece ends = %+v (%v), want 6 octets", what, a, err)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTheTrashGivesBack(t *testing.T) {
	s := doortest.New(t)
	root, _ := s.Site(site)
	write(t, filepath.Join(root, "html", "a b%41", "x"), "x")
	do(t, s, orders.Order{Do: orders.Trash, Paths: []string{"/html/a b%41"}}, "")
	if _, err := os.Stat(filepath.Join(root, "html", "a b%41")); err == nil {
		t.Fatal("what was thrown away is there")
	}
	_, text := do(t, s, orders.Order{Do: orders.Trashed}, "")
	var thrown []orders.Thrown
	if err := json.Unmarshal([]byte(text), &thrown); err != nil || len(thrown) != 1 || string(thrown[0].From) != "/html/a b%41" || thrown[0].Kind != orders.KindFolder {
		t.Fatalf("trash = %s, %v", text, err)
	}
	id := string(thrown[0].Name)
	write(t, filepath.Join(root, "html", "a b%41", "other"), "")
	if a, _ := do(t, s, orders.Order{Do: orders.Restore, Paths: []string{id}}, ""); a.Code != orders.Exists {
		t.Errorf("restore over something = %+v", a)
	}
	if err := os.RemoveAll(filepath.Join(root, "html")); err != nil {
		t.Fatal(err)
	}
	if a, _ := do(t, s, orders.Order{Do: orders.Restore, Paths: []string{id}}, ""); a.Code != "" || content(t, filepath.Join(root, "html", "a b%41", "x")) != "x" {
		t.Errorf("restore = %+v", a)
	}
	do(t, s, orders.Order{Do: orders.Empty}, "")
}

func TestCopiesAndMovesReplaceNothing(t *testing.T) {
	s := doortest.New(t)
	root, _ := s.Site(site)
	write(t, filepath.Join(root, "html/theme/a/b.css"), "b")
	write(t, filepath.Join(root, "html/old/theme/kept"), "kept")
	for _, o := range []string{orders.Copy, orders.Move} {
		if a, _ := do(t, s, orders.Order{Do: o, Paths: []string{"/html/theme"}, To: "/html/old"}, ""); a.Code != orders.Exists {
			t.Errorf("%s onto a folder = %+v", o, a)
		}
		if a, _ := do(t, s, orders.Order{Do: o, Paths: []string{"/html/theme"}, To: "/html/theme/a"}, ""); a.Code != orders.Inside {
			t.Errorf("%s into itself = %+v", o, a)
		}
	}
	if a, _ := do(t, s, orders.Order{Do: orders.Copy, Paths: []string{"/html/theme"}, To: "/html/two", Rename: true}, ""); a.Code != "" || content(t, filepath.Join(root, "html/two/a/b.css")) != "b" {
		t.Errorf("copy = %+v", a)
	}
	if a, _ := do(t, s, orders.Order{Do: orders.Move, Paths: []string{"/html/theme", "/html/two"}, To: "/"}, ""); a.Code != "" || content(t, filepath.Join(root, "two/a/b.css")) != "b" {
		t.Errorf("move = %+v", a)
	}
}

func TestAStrangersKeyOpensNothing(t *testing.T) {
	s := doortest.New(t)
	s.Site(site)
	stranger, _ := toolboxtest.NewKey(t)
	d := door.New(s.Address, func() (door.Keys, error) { return door.Keys{Own: stranger, Gateway: s.Keys.Host.PublicKey()}, nil })
	if _, err := d.Order(t.Context(), visit(), orders.Order{Do: orders.List, Path: "/"}, nil, nil); hosting.CodeOf(err) != hosting.Unreachable {
		t.Errorf("a stranger's key: %v", err)
	}
	d = door.New(s.Address, func() (door.Keys, error) { return door.Keys{Own: s.Panel, Gateway: stranger.PublicKey()}, nil })
	if _, err := d.Order(t.Context(), visit(), orders.Order{Do: orders.List, Path: "/"}, nil, nil); hosting.CodeOf(err) != hosting.Unreachable {
		t.Errorf("a gateway that shows another key: %v", err)
	}
}

// The panel's key opens the site that is named; that a site has no key of its own
// does not make it everybody's.
func TestThePanelsKeyNeedsTheNameOfASite(t *testing.T) {
	s := doortest.New(t)
	s.Site(site)
	for _, user := range []string{"site", "", "site@other.example"} {
		c, err := ssh.Dial("tcp", s.Address, &ssh.ClientConfig{
			User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(s.Panel)}, HostKeyCallback: ssh.FixedHostKey(s.Keys.Host.PublicKey()), Timeout: 10 * time.Second,
		})
		if err == nil {
			_ = c.Close()
			t.Errorf("the panel's key lets %q in", user)
		}
	}
}

func TestASiteThatRestartsIsReachedAgain(t *testing.T) {
	s := doortest.New(t)
	_, stop := s.Site(site)
	do(t, s, orders.Order{Do: orders.List, Path: "/"}, "")
	stop()
	s.Site(site)
	do(t, s, orders.Order{Do: orders.List, Path: "/"}, "")
}

func TestOrdersAreBounded(t *testing.T) {
	s := doortest.New(t)
	s.Site(site)
	ctx, cancel := context.WithCancel(t.Context())
	held, release := io.Pipe()
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			part := fmt.Sprintf("%032x", i)
			_, _ = s.Order(ctx, visit(), orders.Order{Do: orders.Append, Part: part, Size: 10}, held, nil)
		})
	}
	short, stop := context.WithTimeout(t.Context(), 11*time.Second)
	defer stop()
	for {
		_, err := s.Order(short, visit(), orders.Order{Do: orders.List, Path: "/"}, nil, nil)
		if hosting.CodeOf(err) == hosting.Limited {
			break
		}
		if err != nil {
			t.Fatalf("a sixth order = %v", err)
		}
	}
	if _, err := s.Order(t.Context(), hosting.Visit{Account: "other", Site: site}, orders.Order{Do: orders.List, Path: "/"}, nil, nil); err != nil {
		t.Errorf("somebody else's order: %v", err)
	}
	cancel()
	_ = release.Close()
	all.Wait()
	do(t, s, orders.Order{Do: orders.List, Path: "/"}, "")
}
