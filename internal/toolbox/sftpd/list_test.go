package sftpd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
)

// client opens the site's files without a program's own care.
func (s *site) client(t *testing.T) *sftp.Client {
	t.Helper()
	conn := s.dial(t)
	t.Cleanup(func() { _ = conn.Close() })
	client, err := sftp.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// A program of the site's can put anything where a client looks for a folder.
func TestWhatIsNoFolderIsNotListed(t *testing.T) {
	s := start(t)
	if err := syscall.Mkfifo(filepath.Join(s.root, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.write(s.root, "file", "x")
	client := s.client(t)
	for _, name := range []string{"/pipe", "/file"} {
		ended := make(chan error, 1)
		go func() {
			_, err := client.ReadDir(name)
			ended <- err
		}()
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s is listed", name)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("listing %s never ends", name)
		}
	}
}

func TestALargeFolderIsListedWhole(t *testing.T) {
	s := start(t)
	const many = 1234
	for i := range many {
		if err := os.Symlink("nowhere", filepath.Join(s.root, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	infos, err := s.client(t).ReadDir("/")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, i := range infos {
		names[i.Name()] = true
	}
	if len(infos) != many || len(names) != many {
		t.Errorf("%d entries with %d names, want %d", len(infos), len(names), many)
	}
}
