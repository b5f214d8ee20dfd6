package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// served makes a folder of credentials that names a document root.
func served(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	serves(t, dir, path)
	return dir
}

func serves(t *testing.T, dir, path string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, fileDocumentRoot), []byte(path+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newFolders are those of a site; what they log goes to the buffer.
func newFolders(t *testing.T, documentRoot string) (*folders, *bytes.Buffer) {
	t.Helper()
	path := t.TempDir()
	root, err := os.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	var said bytes.Buffer
	return &folders{root: root, path: path, credentials: served(t, path+documentRoot), log: slog.New(slog.NewTextHandler(&said, nil))}, &said
}

func TestTheFolderThatIsServedIsMadeAndFollowed(t *testing.T) {
	f, said := newFolders(t, "/html")
	for _, name := range []string{"/html", "/html/public/web", "", "/other"} {
		serves(t, f.credentials, f.path+name)
		f.prepare(context.Background())
		if info, err := os.Stat(f.path + name); err != nil || !info.IsDir() || said.Len() > 0 {
			t.Errorf("%q is not there: %v; log: %s", name, err, said)
		}
	}
}

func TestAFolderElsewhereIsNotMade(t *testing.T) {
	f, said := newFolders(t, "/html")
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	for _, path := range []string{elsewhere, f.path + "/../beside", "relative"} {
		said.Reset()
		serves(t, f.credentials, path)
		f.prepare(context.Background())
		if !strings.Contains(said.String(), "not below") && !strings.Contains(said.String(), "relative") {
			t.Errorf("%s: log = %q, want that it is not below the root", path, said)
		}
	}
	if entries, err := os.ReadDir(f.path); err != nil || len(entries) > 0 {
		t.Errorf("the root has %v, %v", entries, err)
	}
	if _, err := os.Stat(elsewhere); err == nil {
		t.Error("a folder outside of the root was made")
	}
}

// Without one, as in a pod of an earlier version, nothing is made and nothing said.
func TestNobodySaysWhatIsServed(t *testing.T) {
	f, said := newFolders(t, "/html")
	f.credentials = t.TempDir()
	f.prepare(context.Background())
	if entries, err := os.ReadDir(f.path); err != nil || len(entries) > 0 || said.Len() > 0 {
		t.Errorf("the root has %v, %v; log: %s", entries, err, said)
	}
}

func TestTheRepositoryIsWhereTheProjectIs(t *testing.T) {
	f, said := newFolders(t, "/html/public")
	f.repository = true
	f.prepare(context.Background())
	serves(t, f.credentials, f.path+"/second")
	f.prepare(context.Background())
	for _, name := range []string{"html/.git/HEAD", "second/.git/HEAD"} {
		if _, err := os.Stat(filepath.Join(f.path, name)); err != nil {
			t.Errorf("%v; log: %s", err, said)
		}
	}
}
