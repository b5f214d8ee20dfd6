package noreplace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// ways are both, since the file system of a test has but one.
var ways = map[string]func(root *os.Root, from, to string) error{
	"in one step": Rename,
	"by steps":    func(root *os.Root, from, to string) error { return between(root, from, to, bySteps) },
}

// things make what can be at a name.
var things = map[string]func(name string) error{
	"a file":                   func(name string) error { return os.WriteFile(name, []byte("x"), 0o600) },
	"an empty folder":          func(name string) error { return os.Mkdir(name, 0o755) },
	"a folder":                 func(name string) error { return os.MkdirAll(filepath.Join(name, "in", "it"), 0o755) },
	"a link that leads astray": func(name string) error { return os.Symlink("nowhere", name) },
	"a pipe":                   func(name string) error { return syscall.Mkfifo(name, 0o600) },
}

func open(t *testing.T) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"a", "b"} {
		must(t, os.Mkdir(filepath.Join(dir, folder), 0o755))
	}
	root, err := os.OpenRoot(dir)
	must(t, err)
	t.Cleanup(func() { _ = root.Close() })
	return root, dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func itself(t *testing.T, name string) fs.FileInfo {
	t.Helper()
	info, err := os.Lstat(name)
	must(t, err)
	return info
}

func TestOnlyAFreePlaceIsTaken(t *testing.T) {
	for way, rename := range ways {
		for what, make := range things {
			t.Run(way+"/"+what, func(t *testing.T) {
				root, dir := open(t)
				from, to := filepath.Join(dir, "a", "x"), filepath.Join(dir, "b", "y")
				must(t, make(from))
				moved := itself(t, from)
				must(t, rename(root, "a/x", "b/y"))
				if !os.SameFile(itself(t, to), moved) {
					t.Error("at the new place is something else")
				}
				if _, err := os.Lstat(from); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("at the old place = %v, want nothing", err)
				}
				for there, put := range things {
					taken := filepath.Join(dir, "b", there)
					must(t, put(taken))
					was := itself(t, taken)
					if err := rename(root, "b/y", "b/"+there); !errors.Is(err, fs.ErrExist) {
						t.Errorf("rename to where %s is = %v, want that it exists", there, err)
					}
					if !os.SameFile(itself(t, taken), was) || !os.SameFile(itself(t, to), moved) {
						t.Errorf("a rename to where %s is changed something", there)
					}
				}
			})
		}
	}
}

func TestAFolderIntoItselfIsRefused(t *testing.T) {
	for way, rename := range ways {
		root, dir := open(t)
		must(t, os.Symlink("a", filepath.Join(dir, "link")))
		if err := rename(root, "a", "link/x"); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: a folder into itself = %v, want EINVAL", way, err)
		}
		if left, err := os.ReadDir(filepath.Join(dir, "a")); err != nil || len(left) > 0 {
			t.Errorf("%s: there are %v, %v, want nothing", way, left, err)
		}
	}
}

func TestNothingLeavesTheRoot(t *testing.T) {
	for way, rename := range ways {
		root, dir := open(t)
		outside := t.TempDir()
		must(t, os.WriteFile(filepath.Join(outside, "secret"), nil, 0o600))
		must(t, os.WriteFile(filepath.Join(dir, "x"), nil, 0o600))
		must(t, os.Symlink(outside, filepath.Join(dir, "out")))
		for from, to := range map[string]string{"x": "out/x", "out/secret": "secret", "../x": "y", "a": "../a"} {
			if err := rename(root, from, to); err == nil {
				t.Errorf("%s: rename %s to %s, want it refused", way, from, to)
			}
		}
		if held, err := os.ReadDir(outside); err != nil || len(held) != 1 {
			t.Errorf("%s: outside there are %v, %v", way, held, err)
		}
	}
}

// Of two that take one place at the same time one gets it, and the other keeps what it has.
func TestTwoWantOnePlace(t *testing.T) {
	for way, rename := range ways {
		root, dir := open(t)
		for i := range 200 {
			place := fmt.Sprintf("b/%d", i)
			var all sync.WaitGroup
			var errs [2]error
			for n := range errs {
				name := fmt.Sprintf("a/%d", n)
				must(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
				all.Go(func() { errs[n] = rename(root, name, place) })
			}
			all.Wait()
			for n, err := range errs {
				name := fmt.Sprintf("a/%d", n)
				at := name
				if err == nil {
					at = place
				}
				if content, _ := os.ReadFile(filepath.Join(dir, at)); string(content) != name {
					t.Fatalf("%s: renames end %v, and at %s is %q", way, errs, at, content)
				}
			}
		}
	}
}
