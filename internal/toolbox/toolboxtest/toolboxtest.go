// Package toolboxtest gives tests a site's toolbox: the real program, with keys made
// for it. It must never be imported by anything but tests.
package toolboxtest

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
)

// folder is what the program was built into, empty until then.
var folder string

// build builds the program once for all tests of a run.
var build = sync.OnceValues(func() (string, error) {
	var err error
	if folder, err = os.MkdirTemp("", "toolboxtest"); err != nil {
		return "", err
	}
	program := filepath.Join(folder, "toolbox")
	out, err := exec.Command("go", "build", "-o", program, "kubepanel.io/kubepanel/cmd/toolbox").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
})

// Main is what TestMain of a package does that starts toolboxes.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for who has something to do after all tests, and returns what is to be
// passed to os.Exit.
func Run(m *testing.M) int {
	code := m.Run()
	if folder != "" {
		_ = os.RemoveAll(folder)
	}
	return code
}

// Program is the path of the program.
func Program(t testing.TB) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// Serve starts the server of a site's files on a loopback port, flags being those of
// `toolbox serve`, and returns where it listens and what stops it. What it says goes
// to log until then.
func Serve(t testing.TB, log io.Writer, flags ...string) (address string, stop func()) {
	t.Helper()
	cmd := exec.Command(Program(t), append([]string{"serve", "--listen=127.0.0.1:0"}, flags...)...)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	lines := bufio.NewScanner(stderr)
	said := regexp.MustCompile(`address=(127\.0\.0\.1:\d+)`)
	for lines.Scan() {
		fmt.Fprintln(log, lines.Text())
		if m := said.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() {
					fmt.Fprintln(log, lines.Text())
				}
			}()
			return m[1], stop
		}
	}
	t.Fatal("the toolbox does not say where it listens")
	return "", nil
}

// NewKey makes a key, and its private half as a text.
func NewKey(t testing.TB) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(pem.EncodeToMemory(block))
}

// Line is a key's public half as files of OpenSSH have it.
func Line(key ssh.Signer) string { return string(ssh.MarshalAuthorizedKey(key.PublicKey())) }
