// Package doortest gives tests a door with all that is behind it: a real gateway, and
// a real toolbox for each site with a folder of its own. It must never be part of a
// program.
package doortest

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/gateway"
	"kubepanel.io/kubepanel/internal/panel/door"
)

// Street is a gateway with sites behind it.
type Street struct {
	*door.Door

	// Keys are the gateway's, and the panel's own.
	Keys  gateway.Keys
	Panel ssh.Signer
	// Address of the gateway.
	Address string

	t       testing.TB
	sites   *gateway.Directory
	mu      sync.Mutex
	toolbox map[string]string // addresses by domain
}

// build builds the program that serves sites, once for all tests of a run.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "doortest")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "toolbox")
	out, err := exec.Command("go", "build", "-o", program, "kubepanel.io/kubepanel/cmd/toolbox").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
})

// Remove removes what was built; for TestMain.
func Remove() {
	if program, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(program))
	}
}

// New starts a gateway without sites, and a door that leads there.
func New(t testing.TB) *Street {
	t.Helper()
	s := &Street{t: t, toolbox: map[string]string{}, Panel: newSigner(t)}
	s.Keys = gateway.Keys{Host: newSigner(t), Authority: newSigner(t), Panel: s.Panel.PublicKey()}
	s.sites = &gateway.Directory{Address: func(domain string) string {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.toolbox[domain]
	}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	s.Address = listener.Addr().String()
	g := &gateway.Gateway{
		Sites: s.sites, Keys: func() (gateway.Keys, error) { return s.Keys, nil },
		Metrics: gateway.NewMetrics(prometheus.NewRegistry(), s.sites.Len), Log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Serve(ctx, listener) }()
	s.Door = door.New(s.Address, func() (door.Keys, error) {
		return door.Keys{Own: s.Panel, Gateway: s.Keys.Host.PublicKey()}, nil
	})
	t.Cleanup(func() {
		s.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// Site starts the toolbox of a site, flags being its own, and returns the folder of
// its files and what stops it.
func (s *Street) Site(domain string, flags ...string) (root string, stop func()) {
	s.t.Helper()
	root = s.t.TempDir()
	secrets := s.t.TempDir()
	hash, err := bcrypt.GenerateFromPassword([]byte("of "+domain), bcrypt.MinCost)
	s.must(err)
	host, text := NewKey(s.t)
	for name, content := range map[string]string{
		"username": "site", "passwordHash": string(hash), "hostKey": text,
		"gateway":      fmt.Sprintf("cert-authority,principals=%q %s", domain, line(s.Keys.Authority)),
		"documentRoot": filepath.Join(root, "html"),
	} {
		s.must(os.WriteFile(filepath.Join(secrets, name), []byte(content), 0o600))
	}
	stop = s.serve(domain, append([]string{"serve", "--listen=127.0.0.1:0", "--root=" + root, "--credentials=" + secrets}, flags...))
	s.sites.Put(&v1alpha1.Domain{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(domain, ".", "-")},
		Spec:       v1alpha1.DomainSpec{DomainName: domain},
		Status:     v1alpha1.DomainStatus{SFTP: &v1alpha1.SFTPStatus{ServerKey: line(host)}},
	})
	return root, stop
}

func (s *Street) serve(domain string, args []string) (stop func()) {
	s.t.Helper()
	program, err := build()
	s.must(err)
	cmd := exec.Command(program, args...)
	stderr, err := cmd.StderrPipe()
	s.must(err)
	s.must(cmd.Start())
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	s.t.Cleanup(stop)
	lines := bufio.NewScanner(stderr)
	said := regexp.MustCompile(`address=(127\.0\.0\.1:\d+)`)
	for lines.Scan() {
		if m := said.FindStringSubmatch(lines.Text()); m != nil {
			s.mu.Lock()
			s.toolbox[domain] = m[1]
			s.mu.Unlock()
			go func() {
				for lines.Scan() {
				}
			}()
			return stop
		}
	}
	s.t.Fatal("the toolbox does not say where it listens")
	return nil
}

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	key, _ := NewKey(t)
	return key
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

func (s *Street) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func line(key ssh.Signer) string { return string(ssh.MarshalAuthorizedKey(key.PublicKey())) }
