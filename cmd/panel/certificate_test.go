package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/vitals"
	"kubepanel.io/kubepanel/internal/vitals/vitalstest"
)

// signer is an authority of the platform, as the operator has it.
type signer struct {
	*authority.Authority

	pem []byte
}

func newSigner(t testing.TB) signer {
	t.Helper()
	cert, key, err := authority.New(time.Now())
	must(t, err)
	a, err := authority.Read(cert, key)
	must(t, err)
	return signer{a, cert}
}

// panelName is the panel's, in the cluster.
const panelName = "kubepanel-panel.kubepanel-system.svc"

// put makes a certificate and writes its files, as the kubelet does with a Secret's.
func (s signer) put(t testing.TB, folder string, names ...string) *x509.Certificate {
	t.Helper()
	leaf, err := s.Issue(time.Now(), names...)
	must(t, err)
	cert, key, err := authority.Encode(leaf)
	must(t, err)
	for file, data := range map[string][]byte{"tls.crt": cert, "tls.key": key, "ca.crt": s.pem} {
		must(t, os.WriteFile(filepath.Join(folder, file), data, 0o600))
	}
	return leaf.Leaf
}

// opens makes a certificate of the panel, and returns who may read its metrics.
func (s signer) opens(t testing.TB, folder string) *http.Client {
	t.Helper()
	s.put(t, folder, panelName, vitals.Host("kubepanel-system"))
	return vitalstest.Reader(t, s.Authority, "kubepanel-system")
}

// client trusts the authority alone, and the panel's name, and speaks up to a version of TLS.
func (s signer) client(t *testing.T, version uint16) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: panelName, MaxVersion: version}, DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 5 * time.Second}
}

// The panel may be there before its certificate is. Who asks it in clear, as an edge of the
// release before does, is answered meanwhile; it is not ready, so no panel before it goes.
func TestThePanelSpeaksTLSAsSoonAsItHasACertificate(t *testing.T) {
	folder, at, ours := t.TempDir(), proctest.Address(t), newSigner(t)
	r := launch(t, "--tls-listen", at, "--certificate", folder)
	var plain *http.Response
	for deadline := time.Now().Add(30 * time.Second); plain == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody answers in clear within 30 s")
		}
		plain, _ = http.Get("http://" + r.at + "/sign-in")
	}
	plain.Body.Close()
	if plain.StatusCode != http.StatusOK {
		t.Errorf("without a certificate, in clear = %d, want 200", plain.StatusCode)
	}
	ready, err := http.Get("http://" + r.health + "/readyz")
	must(t, err)
	defer ready.Body.Close()
	if why, err := io.ReadAll(ready.Body); ready.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(why), "certificate") {
		t.Errorf("without a certificate readyz = %d %q (%v), want 503 and why", ready.StatusCode, why, err)
	}
	if answer, err := ours.client(t, tls.VersionTLS13).Get("https://" + at + "/sign-in"); err == nil {
		answer.Body.Close()
		t.Error("without a certificate somebody was let in by TLS")
	}
	if answer, err := vitalstest.Reader(t, ours.Authority, "kubepanel-system").Get("https://" + r.counts + "/metrics"); err == nil {
		answer.Body.Close()
		t.Error("without a certificate metrics are served")
	}
	prometheus := ours.opens(t, folder)
	r.ready()
	answer, err := ours.client(t, tls.VersionTLS13).Get("https://" + at + "/sign-in")
	must(t, err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.TLS.Version != tls.VersionTLS13 {
		t.Errorf("by TLS = %d by %s, want 200 by TLS 1.3", answer.StatusCode, tls.VersionName(answer.TLS.Version))
	}
	if answer, err := ours.client(t, tls.VersionTLS12).Get("https://" + at + "/sign-in"); err == nil {
		answer.Body.Close()
		t.Error("TLS 1.2 was spoken")
	}
	metrics, err := prometheus.Get("https://" + r.counts + "/metrics")
	must(t, err)
	defer metrics.Body.Close()
	if text, err := io.ReadAll(metrics.Body); metrics.StatusCode != http.StatusOK || !strings.Contains(string(text), "kubepanel_panel_sql_statements_total") {
		t.Errorf("metrics = %d (%v), want what the panel counts", metrics.StatusCode, err)
	}
}

// phpMyAdmin gets accounts of databases with each request: it must be whom the platform's
// authority says, and nothing goes anywhere in clear.
func TestOnlyTheRightProgramIsSpokenTo(t *testing.T) {
	ours, another := newSigner(t), newSigner(t)
	folder := t.TempDir()
	ours.put(t, folder, panelName)
	c := &certificate{authority.Files{Folder: folder, Log: slog.New(slog.DiscardHandler), Now: time.Now}}
	transport, err := c.transport()
	must(t, err)
	asked := 0
	serve := func(s signer, name string, version uint16) string {
		leaf, err := s.Issue(time.Now(), name)
		must(t, err)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
		server.TLS = &tls.Config{Certificates: []tls.Certificate{*leaf}, MaxVersion: version}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server.URL
	}
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(plain.Close)
	for name, tt := range map[string]struct {
		url  string
		good bool
	}{
		"itself":                         {serve(ours, "127.0.0.1", tls.VersionTLS13), true},
		"another program of ours":        {serve(ours, panelName, tls.VersionTLS13), false},
		"the name, by another authority": {serve(another, "127.0.0.1", tls.VersionTLS13), false},
		"an old TLS":                     {serve(ours, "127.0.0.1", tls.VersionTLS12), false},
		"no TLS at all":                  {strings.Replace(plain.URL, "http:", "https:", 1), false},
	} {
		asked = 0
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
		must(t, err)
		answer, err := transport.RoundTrip(request)
		if err == nil {
			answer.Body.Close()
		}
		if (err == nil) != tt.good || (asked > 0) != tt.good {
			t.Errorf("%s: asked %d times, %v; want it asked: %v", name, asked, err, tt.good)
		}
	}
	databases := databaseOptions{url: "https://db.panel.localhost", upstream: "https://phpmyadmin.kubepanel-system.svc"}
	if _, err := databases.open(&panel{}, nil, nil); err == nil {
		t.Error("without an authority the panel would ask whom the system trusts")
	}
}
