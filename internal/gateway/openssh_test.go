package gateway_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/gateway"
	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/sshd"
	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
)

// upload makes a file that takes a while to go through.
func (p *platform) upload() string {
	content := make([]byte, 5<<20+17)
	_, _ = rand.Read(content)
	p.write(p.home, "upload", string(content))
	return string(content)
}

func TestFilesGoThroughToTheSiteThatWasNamed(t *testing.T) {
	p := newPlatform(t)
	blog, shop := p.newSite("blog.example"), p.newSite("shop.example")
	content := p.upload()
	tests := map[string]struct{ key, password, login string }{
		"key":                 {key: blog.domain, login: "site@blog.example"},
		"key, domain alone":   {key: blog.domain, login: "blog.example"},
		"key, no domain":      {key: blog.domain, login: "site"},
		"key, capitals":       {key: blog.domain, login: "Blog.Example"},
		"password":            {password: blog.password, login: "site@blog.example"},
		"password after keys": {key: shop.domain, password: blog.password, login: "blog.example"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out, err := p.run(test.key, test.password, "sftp", test.login+"@127.0.0.1")
			if err != nil {
				t.Fatalf("sftp: %v\n%s\ngateway: %s\nsite: %s", err, out, p.log, blog.log)
			}
			if p.read(blog.root, "html-upload") != content || p.read(p.home, "back") != content {
				t.Error("what arrived is not what was sent")
			}
			p.must(os.Remove(filepath.Join(blog.root, "html-upload")))
		})
	}
	if entries, err := os.ReadDir(shop.root); err != nil || len(entries) > 0 {
		t.Errorf("the other site's files: %v, %v", entries, err)
	}
	t.Run("scp", func(t *testing.T) {
		if out, err := p.run(shop.domain, "", "scp", "upload", "shop.example@127.0.0.1:/by-scp"); err != nil {
			t.Fatalf("scp: %v\n%s", err, out)
		}
		if p.read(shop.root, "by-scp") != content {
			t.Error("what arrived is not what was sent")
		}
	})
	t.Run("site's log", func(t *testing.T) {
		for _, want := range []string{"method=key", "method=password", "remote=127.0.0.1 ", ssh.FingerprintSHA256(p.keyOf(blog.domain))} {
			if !strings.Contains(blog.log.String(), want) {
				t.Errorf("%q is not in the site's log:\n%s", want, blog.log)
			}
		}
	})
}

func (p *platform) keyOf(name string) ssh.PublicKey {
	key, err := ssh.ParsePrivateKey([]byte(p.read(p.home, name)))
	p.must(err)
	return key.PublicKey()
}

func TestNobodyComesInToAnothersSite(t *testing.T) {
	p := newPlatform(t)
	blog, shop := p.newSite("blog.example"), p.newSite("shop.example")
	p.upload()
	for name, test := range map[string]struct{ key, password, login string }{
		"another site's key":       {key: blog.domain, login: "site@shop.example"},
		"another site's password":  {password: blog.password, login: "site@shop.example"},
		"unknown site":             {key: blog.domain, password: blog.password, login: "site@nobody.example"},
		"another user":             {password: blog.password, login: "root@blog.example"},
		"a password names no site": {password: blog.password, login: "site"},
		"empty password":           {login: "site@blog.example"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := p.run(test.key, test.password, "sftp", test.login+"@127.0.0.1")
			if err == nil || !strings.Contains(out, "Permission denied") {
				t.Errorf("sftp as %s: %v\n%s", test.login, err, out)
			}
		})
	}
	for _, s := range []*site{blog, shop} {
		if entries, err := os.ReadDir(s.root); err != nil || len(entries) > 0 {
			t.Errorf("%s has files: %v, %v", s.domain, entries, err)
		}
	}
}

func TestAStolenVoucherOpensNoOtherSite(t *testing.T) {
	p := newPlatform(t)
	blog, shop := p.newSite("blog.example"), p.newSite("shop.example")
	key := p.newKey("stolen")
	cert, err := sshd.Voucher{Site: blog.domain, Visitor: "203.0.113.7", Key: "SHA256:x"}.Sign(p.keys.Authority, key.PublicKey(), time.Now())
	p.must(err)
	signer, err := ssh.NewCertSigner(cert, key)
	p.must(err)
	dial := func(s *site) error {
		client, err := ssh.Dial("tcp", s.address, &ssh.ClientConfig{
			User: "site", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(s.host.PublicKey()),
		})
		if err == nil {
			_ = client.Close()
		}
		return err
	}
	if err := dial(blog); err != nil {
		t.Errorf("its own site: %v", err)
	}
	if err := dial(shop); err == nil {
		t.Error("another site let it in")
	}
}

func TestASiteThatDoesNotAnswerIsNamed(t *testing.T) {
	p := newPlatform(t)
	blog := p.newSite("blog.example")
	p.upload()
	for name, address := range map[string]string{"nobody listens": proctest.Address(t), "an impostor": p.impostor()} {
		t.Run(name, func(t *testing.T) {
			blog.moveTo(address)
			for by, test := range map[string]struct{ key, password string }{"key": {key: blog.domain}, "password": {password: blog.password}} {
				out, err := p.run(test.key, test.password, "sftp", "blog.example@127.0.0.1")
				if err == nil || !strings.Contains(out, "The server of blog.example does not answer") {
					t.Errorf("by %s: %v\n%s", by, err, out)
				}
			}
		})
	}
}

// impostor is a server with another host key, which would take every password.
func (p *platform) impostor() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	p.must(err)
	p.t.Cleanup(func() { _ = listener.Close() })
	config := &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		p.t.Errorf("the impostor was told the password %q", password)
		return nil, nil
	}}
	config.AddHostKey(p.newKey("impostor"))
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _, _, _ = ssh.NewServerConn(conn, config)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

func TestNoPortIsForwarded(t *testing.T) {
	p := newPlatform(t)
	p.newSite("blog.example")
	for name, args := range map[string][]string{
		"to":   {"-W", "127.0.0.1:" + strconv.Itoa(p.port), "blog.example@127.0.0.1"},
		"from": {"-o", "ExitOnForwardFailure=yes", "-N", "-R", "0:127.0.0.1:1", "blog.example@127.0.0.1"},
	} {
		if out, err := p.run("blog.example", "", "ssh", args...); err == nil {
			t.Errorf("%s: served:\n%s", name, out)
		}
	}
}

// The end of a program must not overtake what it said last. The client reads
// late, so that some of it waits in the gateway when the program has ended: more
// than the 2 MB that a channel lets wait at the client.
func TestASlowReaderMissesNothing(t *testing.T) {
	p := newPlatform(t)
	blog := p.newSite("blog.example", "--shell")
	const much = 3_000_000
	for name, stream := range map[string]func(*exec.Cmd) (io.ReadCloser, error){"1": (*exec.Cmd).StdoutPipe, "2": (*exec.Cmd).StderrPipe} {
		t.Run(name, func(t *testing.T) {
			cmd := p.command(blog.domain, "", "ssh", "-n", "blog.example@127.0.0.1",
				"head -c "+strconv.Itoa(much)+" /dev/zero >&"+name+"; touch ended"+name)
			pipe, err := stream(cmd)
			p.must(err)
			p.must(cmd.Start())
			ended := filepath.Join(blog.root, "ended"+name)
			for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				if _, err := os.Stat(ended); err == nil {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("the program does not end:\n%s\n%s", p.log, blog.log)
				}
			}
			out, err := io.ReadAll(pipe)
			p.must(err)
			if err := cmd.Wait(); err != nil || len(out) != much {
				t.Errorf("%d bytes, %v, want %d: %q", len(out), err, much, bytes.Trim(out, "\x00"))
			}
		})
	}
}

func TestASiteThatIsGoneIsForgotten(t *testing.T) {
	p := newPlatform(t)
	blog := p.newSite("blog.example")
	p.upload()
	p.sites.Remove(blog.object.Name)
	if out, err := p.run(blog.domain, "", "sftp", "blog.example@127.0.0.1"); err == nil {
		t.Errorf("still let in:\n%s", out)
	}
	if n := p.sites.Len(); n != 0 {
		t.Errorf("Len = %d, want 0", n)
	}
	// A key of two sites says not which is meant.
	shop := p.newSite("shop.example")
	blog.object.Spec.SFTP.AuthorizedKeys = []string{toolboxtest.Line(shop.signer())}
	p.sites.Put(blog.object)
	if out, err := p.run(shop.domain, "", "sftp", "site@127.0.0.1"); err == nil {
		t.Errorf("a key of two sites chose one:\n%s", out)
	}
	if out, err := p.run(shop.domain, "", "sftp", "shop.example@127.0.0.1"); err != nil {
		t.Errorf("a key of two sites with a domain: %v\n%s", err, out)
	}
}

// A key that is taken away opens nothing from then on; who is in stays in.
func TestAKeyThatIsTakenAwayDoesNotComeInAgain(t *testing.T) {
	p := newPlatform(t)
	blog := p.newSite("blog.example")
	p.upload()
	own := p.newKey("own")
	blog.object.Spec.SFTP.AuthorizedKeys = []string{toolboxtest.Line(own)}
	p.sites.Put(blog.object)
	client, err := ssh.Dial("tcp", "127.0.0.1:"+strconv.Itoa(p.port), &ssh.ClientConfig{
		User: blog.domain, Auth: []ssh.AuthMethod{ssh.PublicKeys(own)}, HostKeyCallback: ssh.FixedHostKey(p.keys.Host.PublicKey()),
	})
	p.must(err)
	defer func() { _ = client.Close() }()
	blog.object.Spec.SFTP.AuthorizedKeys = nil
	p.sites.Put(blog.object)
	for _, login := range []string{"blog.example", "site"} {
		if out, err := p.run("own", "", "sftp", login+"@127.0.0.1"); err == nil || !strings.Contains(out, "Permission denied") {
			t.Errorf("as %s: %v\n%s", login, err, out)
		}
	}
	session, err := client.NewSession()
	p.must(err)
	p.must(session.RequestSubsystem("sftp"))
	if out, err := p.run(blog.domain, "", "sftp", "blog.example@127.0.0.1"); err != nil {
		t.Errorf("with the key that is left: %v\n%s", err, out)
	}
}

func (s *site) signer() ssh.Signer {
	key, err := ssh.ParsePrivateKey([]byte(s.read(s.home, s.domain)))
	s.must(err)
	return key
}

func TestKeysThatCanNotBeReadAreNamed(t *testing.T) {
	for _, missing := range []string{"hostKey", "authority"} {
		p := newPlatform(t)
		_, err := gateway.ReadKeys(func(name string) ([]byte, error) {
			if name == missing {
				return []byte("nonsense"), nil
			}
			return []byte(p.read(p.home, "gateway")), nil
		})
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("ReadKeys with a bad %s = %v", missing, err)
		}
	}
}
