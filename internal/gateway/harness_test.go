package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/gateway"
	"kubepanel.io/kubepanel/internal/gateway/gatewaytest"
	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
)

func TestMain(m *testing.M) { toolboxtest.Main(m) }

// platform is a gateway with its sites, and a customer's folder.
type platform struct {
	t     testing.TB
	keys  gateway.Keys
	sites *gateway.Directory
	port  int
	home  string
	log   *proctest.Log
}

// site is one site and the toolbox that serves it.
type site struct {
	*platform
	domain, password, root, secrets, address string
	host                                     ssh.Signer
	log                                      *proctest.Log
	object                                   *v1alpha1.Domain
}

func newPlatform(t testing.TB) *platform {
	t.Helper()
	p := &platform{t: t, home: t.TempDir(), log: &proctest.Log{}}
	p.keys = gateway.Keys{Host: p.newKey("gateway"), Authority: p.newKey("authority")}
	p.sites = &gateway.Directory{}
	p.write(p.home, "askpass", "#!/bin/sh\necho \"$TEST_PASSWORD\"\n")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	p.must(err)
	p.port = listener.Addr().(*net.TCPAddr).Port
	g := &gateway.Gateway{
		Sites: p.sites, Keys: func() (gateway.Keys, error) { return p.keys, nil },
		Metrics: gateway.NewMetrics(prometheus.NewRegistry(), p.sites.Len),
		Log:     slog.New(slog.NewTextHandler(p.log, nil)),
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return p
}

// newSite starts a site's server, flags being its own, and makes the gateway know
// it.
func (p *platform) newSite(domain string, flags ...string) *site {
	s := &site{platform: p, domain: domain, password: "of " + domain, root: p.t.TempDir(), secrets: p.t.TempDir(), log: &proctest.Log{}}
	hash, err := bcrypt.GenerateFromPassword([]byte(s.password), bcrypt.MinCost)
	p.must(err)
	key := p.newKey(domain)
	s.host = p.newKey(domain + ".host")
	for name, content := range map[string]string{
		"username": "site", "passwordHash": string(hash), "hostKey": p.read(p.home, domain+".host"), "publicKey": toolboxtest.Line(key),
		"gateway": fmt.Sprintf("cert-authority,principals=%q %s", domain, toolboxtest.Line(p.keys.Authority)),
	} {
		p.write(s.secrets, name, content)
	}
	address, _ := toolboxtest.Serve(p.t, s.log, append(flags, "--root="+s.root, "--credentials="+s.secrets)...)
	s.moveTo(address)
	s.object = &v1alpha1.Domain{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(domain, ".", "-")},
		Spec:       v1alpha1.DomainSpec{DomainName: domain},
		Status:     v1alpha1.DomainStatus{SFTP: &v1alpha1.SFTPStatus{ServerKey: toolboxtest.Line(s.host), PublicKey: toolboxtest.Line(key)}},
	}
	p.sites.Put(s.object)
	return s
}

// moveTo says that a site's server is elsewhere.
func (s *site) moveTo(address string) {
	s.address = address
	s.sites.PutSlice(gatewaytest.Slice(s.domain, address))
}

// newKey makes a key, whose private half becomes a file of that name.
func (p *platform) newKey(name string) ssh.Signer {
	p.t.Helper()
	signer, text := toolboxtest.NewKey(p.t)
	p.write(p.home, name, text)
	return signer
}

// run carries out one of OpenSSH's programs with a key, or with a password.
func (p *platform) run(key, password, program string, args ...string) (string, error) {
	p.t.Helper()
	cmd := p.command(key, password, program, args...)
	if program == "sftp" {
		cmd.Stdin = strings.NewReader("put upload html-upload\nget html-upload back\n")
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p *platform) command(key, password, program string, args ...string) *exec.Cmd {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	p.t.Cleanup(cancel)
	p.write(p.home, "known", fmt.Sprintf("[127.0.0.1]:%d %s", p.port, toolboxtest.Line(p.keys.Host)))
	options := []string{
		"-F", "/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=" + filepath.Join(p.home, "known"),
		"-o", "IdentitiesOnly=yes", "-o", "NumberOfPasswordPrompts=1", "-o", "ConnectTimeout=20", "-o", "Port=" + strconv.Itoa(p.port),
	}
	if key != "" {
		options = append(options, "-i", filepath.Join(p.home, key))
	}
	cmd := exec.CommandContext(ctx, program, append(options, args...)...)
	cmd.Dir = p.home
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+filepath.Join(p.home, "askpass"), "SSH_ASKPASS_REQUIRE=force",
		"TEST_PASSWORD="+password, "SSH_AUTH_SOCK=")
	return cmd
}

func (p *platform) write(dir, name, content string) {
	p.t.Helper()
	p.must(os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700))
}

func (p *platform) read(dir, name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	p.must(err)
	return string(text)
}

func (p *platform) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}
