// Package doortest gives tests a door with all that is behind it: a real gateway, and
// a real toolbox for each site with a folder of its own. It must never be part of a
// program.
package doortest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ssh"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/gateway"
	"kubepanel.io/kubepanel/internal/gateway/gatewaytest"
	"kubepanel.io/kubepanel/internal/panel/door"
	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
)

// Street is a gateway with sites behind it.
type Street struct {
	*door.Door

	// Keys are the gateway's, and the panel's own.
	Keys  gateway.Keys
	Panel ssh.Signer
	// Address of the gateway.
	Address string

	t     testing.TB
	sites *gateway.Directory
	text  string // the panel's key as its file has it
}

// New starts a gateway without sites, and a door that leads there.
func New(t testing.TB) *Street {
	t.Helper()
	s := &Street{t: t, sites: &gateway.Directory{}}
	s.Panel, s.text = toolboxtest.NewKey(t)
	s.Keys = gateway.Keys{Host: signer(t), Authority: signer(t), Panel: s.Panel.PublicKey()}
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

// Folder holds the panel's keys as its flag --door-keys wants them.
func (s *Street) Folder() string {
	s.t.Helper()
	folder := s.t.TempDir()
	s.must(os.WriteFile(filepath.Join(folder, "key"), []byte(s.text), 0o600))
	s.must(os.WriteFile(filepath.Join(folder, "gateway"), []byte(toolboxtest.Line(s.Keys.Host)), 0o600))
	return folder
}

// Site starts the toolbox of a site, flags being its own, and returns the folder of
// its files and what stops it.
func (s *Street) Site(domain string, flags ...string) (root string, stop func()) {
	s.t.Helper()
	root = s.t.TempDir()
	secrets := s.t.TempDir()
	hash, err := bcrypt.GenerateFromPassword([]byte("of "+domain), bcrypt.MinCost)
	s.must(err)
	host, text := toolboxtest.NewKey(s.t)
	for name, content := range map[string]string{
		"username": "site", "passwordHash": string(hash), "hostKey": text,
		"gateway":      fmt.Sprintf("cert-authority,principals=%q %s", domain, toolboxtest.Line(s.Keys.Authority)),
		"documentRoot": filepath.Join(root, "html"),
	} {
		s.must(os.WriteFile(filepath.Join(secrets, name), []byte(content), 0o600))
	}
	address, stop := toolboxtest.Serve(s.t, io.Discard, append(flags, "--root="+root, "--credentials="+secrets)...)
	s.open(domain, address, host)
	return root, stop
}

// Impostor serves a channel. From when it calls deaf, its end of the connection reads
// nothing any more.
type Impostor func(c ssh.Channel, requests <-chan *ssh.Request, deaf func())

// Impostor starts a site where a program of the tenant's stands in the toolbox's place: it
// has the site's keys, and serve does what it likes with each channel.
func (s *Street) Impostor(domain string, serve Impostor) {
	s.t.Helper()
	host := signer(s.t)
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) {
		return &ssh.Permissions{}, nil
	}}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	s.t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go impose(conn, config, serve)
		}
	}()
	s.open(domain, listener.Addr().String(), host)
}

func impose(conn net.Conn, config *ssh.ServerConfig, serve Impostor) {
	ear := &ear{Conn: conn}
	_, channels, requests, err := ssh.NewServerConn(ear, config)
	if err != nil {
		return // a probe
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		if channel, requests, err := c.Accept(); err == nil {
			go serve(channel, requests, func() { ear.deaf.Store(true) })
		}
	}
}

// ear is a connection that can stop to read.
type ear struct {
	net.Conn

	deaf atomic.Bool
}

// Read implements io.Reader.
func (e *ear) Read(b []byte) (int, error) {
	for {
		if n, err := e.Conn.Read(b); err != nil || !e.deaf.Load() {
			return n, err
		}
	}
}

// open tells the gateway where a site is.
func (s *Street) open(domain, address string, host ssh.Signer) {
	s.sites.PutSlice(gatewaytest.Slice(domain, address))
	s.sites.Put(&v1alpha1.Domain{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(domain, ".", "-")},
		Spec:       v1alpha1.DomainSpec{DomainName: domain},
		Status:     v1alpha1.DomainStatus{SFTP: &v1alpha1.SFTPStatus{ServerKey: toolboxtest.Line(host)}},
	})
}

func (s *Street) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func signer(t testing.TB) ssh.Signer {
	t.Helper()
	key, _ := toolboxtest.NewKey(t)
	return key
}
