package kube_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/kube"
)

// elsewhere asks the real API server for a group that it does not have.
type elsewhere struct{ next http.RoundTripper }

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Path = strings.Replace(r.URL.Path, "/apis/kubepanel.io/", "/apis/absent.kubepanel.io/", 1)
	return e.next.RoundTrip(r)
}

func TestAnswersSayWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		change func(*rest.Config)
		code   hosting.Code
		says   []string
	}{
		"nobody there":      {func(c *rest.Config) { c.Host = "https://127.0.0.1:1" }, hosting.Unreachable, []string{"https://127.0.0.1:1", "connection refused", "make up", "KUBECONFIG"}},
		"another's cluster": {func(c *rest.Config) { c.CAData = nil }, hosting.Unreachable, []string{"certificate"}},
		"no right":          {func(c *rest.Config) { c.Impersonate.UserName = "stranger" }, hosting.Forbidden, []string{"You may not do that", "stranger", "administrator"}},
		"not known": {func(c *rest.Config) { c.CertData, c.KeyData, c.BearerToken = nil, nil, "stale" },
			hosting.Forbidden, []string{"does not know you", "make -s env"}},
		"no platform": {func(c *rest.Config) { c.Wrap(func(rt http.RoundTripper) http.RoundTripper { return elsewhere{rt} }) },
			hosting.NotInstalled, []string{"not installed", "make up"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config := rest.CopyConfig(cluster.Config)
			tt.change(config)
			s, err := kube.NewStore(config, systemNamespace)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Domains(t.Context())
			wantCode(t, "Domains", err, tt.code, tt.says...)
			_, err = s.Domain(t.Context(), "a.example")
			wantCode(t, "Domain", err, tt.code)
		})
	}
}

func TestOpenStore(t *testing.T) {
	t.Setenv("KUBECONFIG", "")
	t.Setenv("HOME", t.TempDir())
	bad := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(bad, []byte("{not yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		at   kube.Address
		says string
	}{
		"nothing named":   {kube.Address{}, "No cluster is named"},
		"no such file":    {kube.Address{Kubeconfig: "/nowhere/config"}, "no kubeconfig file /nowhere/config"},
		"no such context": {kube.Address{Kubeconfig: cluster.Kubeconfig, Context: "moon"}, `no context "moon"`},
		"nonsense":        {kube.Address{Kubeconfig: bad}, "can't be used"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := kube.OpenStore(tt.at)
			wantCode(t, "OpenStore", err, hosting.Unreachable, tt.says)
		})
	}
	s, err := kube.OpenStore(kube.Address{Kubeconfig: cluster.Kubeconfig, Namespace: systemNamespace})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Domains(t.Context()); err != nil {
		t.Errorf("Domains of a cluster that is named by a file = %v", err)
	}
	t.Setenv("KUBECONFIG", cluster.Kubeconfig)
	if _, err := kube.OpenStore(kube.Address{}); err != nil {
		t.Errorf("OpenStore by KUBECONFIG = %v", err)
	}
}
