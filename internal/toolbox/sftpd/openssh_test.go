package sftpd_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/toolbox/sftpd"
	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
)

const (
	user     = "blog"
	password = "correct-horse"
)

// site is a running server and OpenSSH's clients for it.
type site struct {
	t       testing.TB
	root    string // what clients see as /
	home    string // the clients' own files
	secrets string // the server's credentials
	port    int
	log     *proctest.Log
	stop    func()
	// programs are the server's; nil for files only.
	programs func(ssh.Channel) sftpd.Program
}

func start(t testing.TB) *site {
	t.Helper()
	s := prepare(t)
	s.serve()
	return s
}

// prepare makes everything but the server.
func prepare(t testing.TB) *site {
	t.Helper()
	for _, program := range []string{"sftp", "scp", "ssh"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: apt-get install openssh-client", program)
		}
	}
	s := &site{t: t, root: t.TempDir(), home: t.TempDir(), secrets: t.TempDir(), log: &proctest.Log{}}
	s.write(s.secrets, "username", user)
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s.write(s.secrets, "passwordHash", string(hash))
	_, hostKey := newKey(t)
	s.write(s.secrets, "hostKey", hostKey)
	public, private := newKey(t)
	s.write(s.secrets, "publicKey", public)
	s.write(s.home, "id", private)
	askpass := filepath.Join(s.home, "askpass")
	s.write(s.home, "askpass", "#!/bin/sh\necho \"$TEST_PASSWORD\"\n")
	if err := os.Chmod(askpass, 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) serve() {
	root, err := os.OpenRoot(s.root)
	if err != nil {
		s.t.Fatal(err)
	}
	key, err := sftpd.ReadHostKey(s.secrets)
	if err != nil {
		s.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	server := &sftpd.Server{
		Root: root, HostKey: key, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Account: func() (*sftpd.Account, error) { return sftpd.ReadAccount(s.secrets) }, Programs: s.programs,
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, listener) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("Serve: %v", err)
		}
		_ = root.Close()
	})
	s.t.Cleanup(s.stop)
}

func (s *site) write(dir, name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// options are those of all of OpenSSH's clients.
func (s *site) options() []string {
	return []string{
		"-o", "StrictHostKeyChecking=accept-new", "-o", "UserKnownHostsFile=" + filepath.Join(s.home, "known"),
		"-o", "IdentitiesOnly=yes", "-o", "NumberOfPasswordPrompts=1", "-o", "ConnectTimeout=10", "-F", "/dev/null",
	}
}

func (s *site) run(password string, args ...string) (string, error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = s.home
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+filepath.Join(s.home, "askpass"), "SSH_ASKPASS_REQUIRE=force",
		"TEST_PASSWORD="+password, "SSH_AUTH_SOCK=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// sftp runs a batch with the key; the first command that fails ends it.
func (s *site) sftp(batch string) (string, error) {
	s.t.Helper()
	s.write(s.home, "batch", batch)
	args := append([]string{"sftp", "-b", "batch", "-i", "id", "-P", strconv.Itoa(s.port)}, s.options()...)
	return s.run("", append(args, user+"@127.0.0.1")...)
}

func (s *site) mustSFTP(batch string) string {
	s.t.Helper()
	out, err := s.sftp(batch)
	if err != nil {
		s.t.Fatalf("sftp: %v\n%s\nserver: %s", err, out, s.log)
	}
	return out
}

func (s *site) content(dir, name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func TestFilesGoUpAndComeBack(t *testing.T) {
	s := start(t)
	data := make([]byte, 3<<20+17)
	_, _ = rand.Read(data)
	s.write(s.home, "picture", string(data))
	s.mustSFTP("mkdir html\nput picture html/picture.jpg\nget html/picture.jpg back\nls -l html\nrename html/picture.jpg html/p.jpg\nchmod 600 html/p.jpg\ndf -h")
	if s.content(s.home, "back") != string(data) || s.content(s.root, "html/p.jpg") != string(data) {
		t.Error("the file changed on its way")
	}
	if info, err := os.Stat(filepath.Join(s.root, "html/p.jpg")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("Stat = %v, %v, want mode 0600", info, err)
	}
	s.mustSFTP("rm html/p.jpg\nrmdir html")
	if entries, _ := os.ReadDir(s.root); len(entries) != 0 {
		t.Errorf("left over: %v", entries)
	}
	s.stop()
	for _, want := range []string{"session ended", "method=key", fmt.Sprintf("bytes_received=%d", len(data)), fmt.Sprintf("bytes_sent=%d", len(data))} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, s.log)
		}
	}
}

func TestFoldersGoUpByCopy(t *testing.T) {
	s := start(t)
	if err := os.MkdirAll(filepath.Join(s.home, "tree/deep/er"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write(s.home, "tree/deep/er/file", "content")
	args := append([]string{"scp", "-s", "-r", "-p", "-i", "id", "-P", strconv.Itoa(s.port)}, s.options()...)
	if out, err := s.run("", append(args, "tree", user+"@127.0.0.1:/")...); err != nil {
		t.Fatalf("scp: %v\n%s", err, out)
	}
	if got := s.content(s.root, "tree/deep/er/file"); got != "content" {
		t.Errorf("content = %q", got)
	}
}

func TestUploadsGoOnWhereTheyStopped(t *testing.T) {
	s := start(t)
	s.write(s.home, "long", "first half, second half")
	s.write(s.root, "long", "first half,")
	s.mustSFTP("reput long long")
	if got := s.content(s.root, "long"); got != "first half, second half" {
		t.Errorf("content = %q", got)
	}
}

func TestOnlyTheAccountSignsIn(t *testing.T) {
	sum := sha256.Sum256([]byte(password))
	madeUp := "sha256:" + hex.EncodeToString(sum[:]) // as the operator writes it
	tests := map[string]struct {
		user, password string
		hash           string // "" for bcrypt
		ok             bool
	}{
		"right password":          {user: user, password: password, ok: true},
		"wrong password":          {user: user, password: "guess"},
		"empty password":          {user: user},
		"another user":            {user: "root", password: password},
		"made up, right":          {user: user, password: password, hash: madeUp, ok: true},
		"made up, wrong":          {user: user, password: "guess", hash: madeUp},
		"made up, empty":          {user: user, hash: madeUp},
		"made up, its hash":       {user: user, password: madeUp, hash: madeUp},
		"made up, without a hash": {user: user, hash: "sha256:"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			if test.hash != "" {
				s.write(s.secrets, "passwordHash", test.hash)
			}
			s.write(s.home, "batch", "ls")
			args := append([]string{"sftp", "-o", "BatchMode=no", "-b", "batch", "-o", "PubkeyAuthentication=no", "-P", strconv.Itoa(s.port)}, s.options()...)
			out, err := s.run(test.password, append(args, test.user+"@127.0.0.1")...)
			if (err == nil) != test.ok {
				t.Errorf("sign in: %v, want ok = %v\n%s", err, test.ok, out)
			}
			s.stop()
			if strings.Contains(s.log.String(), password) || strings.Contains(s.log.String(), "guess") {
				t.Errorf("the log holds a password:\n%s", s.log)
			}
		})
	}
}

func TestAKeyThatIsNotListedIsRefused(t *testing.T) {
	s := start(t)
	_, private := newKey(t)
	s.write(s.home, "id", private)
	if out, err := s.sftp("ls"); err == nil {
		t.Errorf("signed in:\n%s", out)
	}
}

func TestAChangedSecretCountsWithoutARestart(t *testing.T) {
	s := start(t)
	s.mustSFTP("ls")
	public, private := newKey(t)
	s.write(s.secrets, "authorizedKeys", "# mine\n"+public)
	s.write(s.home, "id", private)
	s.mustSFTP("ls")
	s.write(s.secrets, "authorizedKeys", "")
	if out, err := s.sftp("ls"); err == nil {
		t.Errorf("a removed key still signs in:\n%s", out)
	}
}

func TestNothingOutsideTheRootIsReached(t *testing.T) {
	s := start(t)
	outside := t.TempDir()
	s.write(outside, "secret", "secret")
	for name, target := range map[string]string{"out": outside, "file": filepath.Join(outside, "secret"), "up": "../../../../../.."} {
		if err := os.Symlink(target, filepath.Join(s.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.write(s.home, "mine", "mine")
	tests := map[string]string{
		"file by link":        "get file got",
		"file in linked dir":  "get out/secret got",
		"listing a link":      "cd out",
		"list a link up":      "cd up",
		"write through link":  "put mine out/mine",
		"overwrite by link":   "put mine file",
		"mkdir through link":  "mkdir out/new",
		"remove through link": "rm out/secret",
		"rename out":          "put mine here\nrename here out/here",
		"new link upwards":    "ln -s ../../secret new",
		"mode through link":   "chmod 777 file",
		"dots":                "get ../../../../../../../../../" + filepath.Join(outside, "secret") + " got",
	}
	for name, batch := range tests {
		t.Run(name, func(t *testing.T) {
			if out, err := s.sftp(batch); err == nil {
				t.Errorf("sftp %q went through:\n%s", batch, out)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(s.home, "got")); err == nil {
		t.Error("a file from outside was read")
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 || s.content(outside, "secret") != "secret" {
		t.Errorf("outside changed: %v, %v", entries, err)
	}
}

func TestLinksInsideWorkForTheSiteToo(t *testing.T) {
	s := start(t)
	s.write(s.home, "mine", "mine")
	s.mustSFTP("mkdir html\nmkdir html/a\nput mine html/a/file\nln -s /html/a html/b\nls html/b\nget html/b/file got")
	if got := s.content(s.home, "got"); got != "mine" {
		t.Errorf("content = %q", got)
	}
	if target, err := os.Readlink(filepath.Join(s.root, "html/b")); err != nil || target != "a" {
		t.Errorf("Readlink = %q, %v, want a", target, err)
	}
	// As the site's own programs see it, with no knowledge of the client's root.
	if got := s.content(s.root, "html/b/file"); got != "mine" {
		t.Errorf("content through the link = %q", got)
	}
}

func TestAPipeDoesNotHangAClient(t *testing.T) {
	s := start(t)
	if out, err := exec.Command("mkfifo", filepath.Join(s.root, "pipe")).CombinedOutput(); err != nil {
		t.Fatalf("mkfifo: %v %s", err, out)
	}
	if out, err := s.sftp("get pipe got"); err == nil {
		t.Errorf("read a pipe:\n%s", out)
	}
}

func TestNoShellAndNoForwarding(t *testing.T) {
	s := start(t)
	base := append([]string{"ssh", "-i", "id", "-p", strconv.Itoa(s.port)}, s.options()...)
	for name, args := range map[string][]string{
		"command": {user + "@127.0.0.1", "id"},
		"forward": {"-W", fmt.Sprintf("127.0.0.1:%d", s.port), user + "@127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := s.run("", append(base, args...)...)
			if err == nil {
				t.Errorf("served:\n%s", out)
			}
			if name == "command" && !strings.Contains(out, "sftp.type: sshgit") {
				t.Errorf("the refusal says %q", out)
			}
		})
	}
}

// BenchmarkTransfer moves files by OpenSSH's client over loopback.
func BenchmarkTransfer(b *testing.B) {
	s := start(b)
	const size = 256 << 20
	s.write(s.home, "big", strings.Repeat("0123456789abcdef", size/16))
	for name, batch := range map[string]string{"up": "put big big", "down": "get big back"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			s.mustSFTP("put big big")
			for b.Loop() {
				s.mustSFTP(batch)
			}
		})
	}
}

func newKey(t testing.TB) (public, private string) {
	t.Helper()
	key, private := toolboxtest.NewKey(t)
	return toolboxtest.Line(key), private
}
