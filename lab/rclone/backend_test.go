// Package rclone holds the tests that rclone has for its backends against the
// toolbox's SFTP server. It is a module of its own, so that rclone's many
// dependencies stay out of Kubepanel's.
package rclone

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/rclone/rclone/backend/sftp"
	"github.com/rclone/rclone/fstest/fstests"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"
)

// TestBackend runs rclone's own tests as it runs them against OpenSSH's server.
func TestBackend(t *testing.T) {
	folder := t.TempDir()
	port := serve(t, folder)
	t.Setenv("RCLONE_CONFIG", filepath.Join(folder, "rclone.conf"))
	// rclone looks above the working folder for programs that start servers; there
	// are none to start.
	must(t, os.MkdirAll(filepath.Join(folder, "fstest", "testserver", "init.d"), 0o755))
	t.Chdir(folder)
	const remote = "TestToolbox"
	var config []fstests.ExtraConfigItem
	for key, value := range map[string]string{
		"type": "sftp", "host": "127.0.0.1", "port": port, "user": "site", "key_file": filepath.Join(folder, "id"),
	} {
		config = append(config, fstests.ExtraConfigItem{Name: remote, Key: key, Value: value})
	}
	fstests.Run(t, &fstests.Opt{RemoteName: remote + ":", NilObject: (*sftp.Object)(nil), ExtraConfig: config})
}

// serve starts the toolbox for a site in a folder, and returns its port.
func serve(t *testing.T, folder string) string {
	t.Helper()
	program, root, secrets := filepath.Join(folder, "toolbox"), filepath.Join(folder, "site"), filepath.Join(folder, "secrets")
	build := exec.Command("go", "build", "-o", program, "./cmd/toolbox")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the toolbox: %v\n%s", err, out)
	}
	must(t, os.Mkdir(root, 0o755))
	must(t, os.Mkdir(secrets, 0o755))
	hash, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), bcrypt.MinCost)
	must(t, err)
	public, private := newKey(t)
	_, host := newKey(t)
	must(t, os.WriteFile(filepath.Join(folder, "id"), private, 0o600))
	for name, content := range map[string][]byte{"username": []byte("site"), "passwordHash": hash, "hostKey": host, "publicKey": public} {
		must(t, os.WriteFile(filepath.Join(secrets, name), content, 0o600))
	}
	cmd := exec.Command(program, "serve", "--listen=127.0.0.1:0", "--root="+root, "--credentials="+secrets)
	log, err := cmd.StderrPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if m := regexp.MustCompile(`address=127\.0\.0\.1:(\d+)`).FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() {
				}
			}()
			return m[1]
		}
	}
	t.Fatal("the toolbox does not say where it listens")
	return ""
}

func newKey(t *testing.T) (public, private []byte) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	key, err := ssh.NewPublicKey(pub)
	must(t, err)
	block, err := ssh.MarshalPrivateKey(priv, "")
	must(t, err)
	return ssh.MarshalAuthorizedKey(key), pem.EncodeToMemory(block)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
