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
	s.sites.PutSlice(gatewaytest.Slice(domain, address))
	s.sites.Put(&v1alpha1.Domain{
		ObjectMeta: metav1.ObjectMeta{Name: strings.ReplaceAll(domain, ".", "-")},
		Spec:       v1alpha1.DomainSpec{DomainName: domain},
		Status:     v1alpha1.DomainStatus{SFTP: &v1alpha1.SFTPStatus{ServerKey: toolboxtest.Line(host)}},
	})
	return root, stop
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
