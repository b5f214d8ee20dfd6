package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/ssh"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/gateway"
	"kubepanel.io/kubepanel/internal/gateway/gatewaytest"
)

// gateway serves the toolbox's site through a gateway in this process.
func (t *transfers) gateway(b *testing.B, toolbox *server) *server {
	const site = "bench.example"
	_, private := newKeyPair(b)
	authority, err := ssh.ParsePrivateKey(private)
	must(b, err)
	vouches := fmt.Appendf(nil, "cert-authority,principals=%q %s", site, ssh.MarshalAuthorizedKey(authority.PublicKey()))
	must(b, os.WriteFile(filepath.Join(t.secrets, "gateway"), vouches, 0o644))
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(t.secrets, name))
		must(b, err)
		return string(text)
	}
	host, err := ssh.ParsePrivateKey([]byte(read("hostKey")))
	must(b, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(toolbox.port))
	sites := &gateway.Directory{}
	sites.PutSlice(gatewaytest.Slice(site, address))
	sites.Put(&v1alpha1.Domain{
		ObjectMeta: metav1.ObjectMeta{Name: "bench"}, Spec: v1alpha1.DomainSpec{DomainName: site},
		Status: v1alpha1.DomainStatus{SFTP: &v1alpha1.SFTPStatus{
			ServerKey: string(ssh.MarshalAuthorizedKey(host.PublicKey())), PublicKey: read("publicKey"),
		}},
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	g := &gateway.Gateway{
		Sites: sites, Log: slog.New(slog.DiscardHandler), Metrics: gateway.NewMetrics(prometheus.NewRegistry(), sites.Len),
		Keys: func() (gateway.Keys, error) { return gateway.Keys{Host: host, Authority: authority}, nil },
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Serve(ctx, listener) }()
	b.Cleanup(func() {
		cancel()
		must(b, <-done)
	})
	return &server{port: listener.Addr().(*net.TCPAddr).Port, login: daemon + "@" + site}
}
