package vitals_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/vitals"
	"kubepanel.io/kubepanel/internal/vitals/vitalstest"
)

const namespace = "kubepanel-system"

// program is one that tells of itself.
type program struct {
	*testing.T

	health, metrics string
	missing         atomic.Pointer[error]
}

// tell starts a program that counts one thing.
func tell(t *testing.T, id vitals.Identity) *program {
	t.Helper()
	registry := prometheus.NewRegistry()
	sites := prometheus.NewGauge(prometheus.GaugeOpts{Name: "sites", Help: "Sites."})
	registry.MustRegister(sites)
	sites.Set(7)
	p := &program{T: t, health: proctest.Address(t), metrics: proctest.Address(t)}
	v := &vitals.Vitals{Health: p.health, Metrics: p.metrics, Counts: registry, Identity: id, Ready: func(context.Context) error {
		if why := p.missing.Load(); why != nil {
			return *why
		}
		return nil
	}}
	l, err := v.Listen(t.Context())
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v, want nil at its end", err)
		}
	})
	return p
}

// read asks for metrics; what comes is told by the error alone.
func (p *program) read(client *http.Client) error {
	answer, err := client.Get("https://" + p.metrics + "/metrics")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(body), "sites 7") {
		p.Errorf("metrics = %d %q, want sites 7", answer.StatusCode, body)
	}
	return nil
}

// plain asks in clear.
func (p *program) plain(url string) (int, string) {
	p.Helper()
	answer, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(p.T, err)
	return answer.StatusCode, string(body)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// signer is an authority of the platform.
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

// put writes the files of a program's certificate.
func (s signer) put(t testing.TB, folder string) {
	t.Helper()
	leaf, err := s.Issue(time.Now(), vitals.Host(namespace))
	must(t, err)
	cert, key, err := authority.Encode(leaf)
	must(t, err)
	for file, data := range map[string][]byte{"tls.crt": cert, "tls.key": key, "ca.crt": s.pem} {
		must(t, os.WriteFile(filepath.Join(folder, file), data, 0o600))
	}
}

// shows is a client that trusts the authority and shows those certificates.
func (s signer) shows(version uint16, shown ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(s.Cert)
	config := &tls.Config{RootCAs: roots, ServerName: vitals.Host(namespace), MaxVersion: version}
	// Shown whatever the server says it takes.
	if len(shown) > 0 {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown[0], nil }
	}
	return vitalstest.Client(config)
}

func TestOnlyPrometheusReadsMetrics(t *testing.T) {
	ours, theirs, now := newSigner(t), newSigner(t), time.Now()
	folder := t.TempDir()
	ours.put(t, folder)
	p := tell(t, &authority.Files{Folder: folder, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	client := func(s signer, at time.Time, subject pkix.Name) tls.Certificate {
		leaf, err := s.IssueClient(at, authority.Lifetime, subject)
		must(t, err)
		return *leaf
	}
	server := func(names ...string) tls.Certificate {
		leaf, err := ours.Issue(now, names...)
		must(t, err)
		return *leaf
	}
	reader := vitals.Reader()
	more := vitals.Reader()
	more.OrganizationalUnit = []string{"A"}
	for name, tt := range map[string]struct {
		client *http.Client
		good   bool
	}{
		"Prometheus":                    {ours.shows(tls.VersionTLS13, client(ours, now, reader)), true},
		"nobody":                        {ours.shows(tls.VersionTLS13), false},
		"the operator's for MariaDB":    {ours.shows(tls.VersionTLS13, client(ours, now, pkix.Name{Organization: []string{"Kubepanel"}, CommonName: "kubepanel-operator"})), false},
		"more in the name":              {ours.shows(tls.VersionTLS13, client(ours, now, more)), false},
		"less in the name":              {ours.shows(tls.VersionTLS13, client(ours, now, pkix.Name{CommonName: "prometheus"})), false},
		"a host's":                      {ours.shows(tls.VersionTLS13, server("prometheus")), false},
		"the panel's":                   {ours.shows(tls.VersionTLS13, server("kubepanel-panel.kubepanel-system.svc", vitals.Host(namespace))), false},
		"one that ended":                {ours.shows(tls.VersionTLS13, client(ours, now.Add(-authority.Lifetime-time.Minute), reader)), false},
		"one of tomorrow":               {ours.shows(tls.VersionTLS13, client(ours, now.Add(24*time.Hour), reader)), false},
		"one of another authority":      {ours.shows(tls.VersionTLS13, client(theirs, now, reader)), false},
		"the right one by TLS 1.2":      {ours.shows(tls.VersionTLS12, client(ours, now, reader)), false},
		"who trusts another authority":  {theirs.shows(tls.VersionTLS13, client(ours, now, reader)), false},
		"the authority itself, no leaf": {ours.shows(tls.VersionTLS13, tls.Certificate{Certificate: [][]byte{ours.Cert.Raw}, PrivateKey: client(ours, now, reader).PrivateKey}), false},
	} {
		if err := p.read(tt.client); (err == nil) != tt.good {
			t.Errorf("%s: %v, want to be let in: %v", name, err, tt.good)
		}
	}
	if code, body := p.plain("http://" + p.metrics + "/metrics"); code != http.StatusBadRequest || strings.Contains(body, "sites") {
		t.Errorf("metrics in clear = %d %q, want 400 and none", code, body)
	}
}

// A certificate that ended, or whose authority did, must not live on in a connection.
func TestEachAnswerIsToSomebodyWhoShowedACertificate(t *testing.T) {
	ours := newSigner(t)
	folder := t.TempDir()
	ours.put(t, folder)
	var shaken atomic.Int32
	p := tell(t, &authority.Files{Folder: folder, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	leaf, err := ours.IssueClient(time.Now(), authority.Lifetime, vitals.Reader())
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(ours.Cert)
	client := vitalstest.Client(&tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: vitals.Host(namespace), ClientSessionCache: tls.NewLRUClientSessionCache(4),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { shaken.Add(1); return leaf, nil },
	})
	for range 3 {
		must(t, p.read(client))
	}
	if got := shaken.Load(); got != 3 {
		t.Errorf("for three answers a certificate was shown %d times, want 3", got)
	}
}

func TestMetricsFollowTheirCertificateAndItsAuthority(t *testing.T) {
	var now atomic.Int64 // seconds later
	clock := func() time.Time { return time.Now().Add(time.Duration(now.Load()) * time.Second) }
	later := func(d time.Duration) { now.Add(int64(d / time.Second)) }
	folder, ours, next := t.TempDir(), newSigner(t), newSigner(t)
	p := tell(t, &authority.Files{Folder: folder, Log: slog.New(slog.DiscardHandler), Now: clock})
	reader := func(trusted, signed signer) error {
		leaf, err := signed.IssueClient(time.Now(), authority.Lifetime, vitals.Reader())
		must(t, err)
		return p.read(trusted.shows(tls.VersionTLS13, *leaf))
	}
	if reader(ours, ours) == nil {
		t.Error("without a certificate of the program metrics are served")
	}
	if code, body := p.plain("http://" + p.health + "/readyz"); code != http.StatusOK {
		t.Errorf("without a certificate readyz = %d %q, want 200", code, body)
	}
	ours.put(t, folder)
	later(authority.LookEvery)
	must(t, reader(ours, ours))
	next.put(t, folder)
	later(authority.LookEvery)
	for name, tt := range map[string]struct{ trusted, signed signer }{
		"a Prometheus with the new authority's":              {next, next},
		"one that has its own certificate of the one before": {next, ours},
	} {
		if err := reader(tt.trusted, tt.signed); err != nil {
			t.Errorf("while the authority is replaced: %s: %v", name, err)
		}
	}
	later(authority.Overlap)
	must(t, reader(next, next))
	if reader(next, ours) == nil {
		t.Error("the authority before opens metrics for good")
	}
}

func TestHealthIsInClearAndSaysWhereMetricsAre(t *testing.T) {
	ours, folder := newSigner(t), t.TempDir()
	ours.put(t, folder)
	p := tell(t, &authority.Files{Folder: folder, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if code, body := p.plain("http://" + p.health + "/healthz"); code != http.StatusOK {
		t.Errorf("healthz = %d %q, want 200", code, body)
	}
	why := errors.New("the sites are not known yet")
	p.missing.Store(&why)
	if code, body := p.plain("http://" + p.health + "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, why.Error()) {
		t.Errorf("readyz = %d %q, want 503 and why", code, body)
	}
	code, body := p.plain("http://" + p.health + "/metrics")
	if code != http.StatusNotFound || !strings.Contains(body, p.metrics) || !strings.Contains(body, "prometheus-tls") {
		t.Errorf("metrics at the port of before = %d %q, want 404 and where they are", code, body)
	}
	without := tell(t, nil)
	if code, body := without.plain("http://" + without.metrics + "/metrics"); code != 0 {
		t.Errorf("who has no certificate at all serves metrics: %d %q", code, body)
	}
}

func TestAPortThatIsTakenIsToldAtTheStart(t *testing.T) {
	first := tell(t, nil)
	v := &vitals.Vitals{Health: proctest.Address(t), Metrics: first.health, Identity: &authority.Files{}}
	if _, err := v.Listen(t.Context()); err == nil {
		t.Error("Listen() = nil although somebody has the port of metrics")
	}
	again := &vitals.Vitals{Health: v.Health, Ready: func(context.Context) error { return nil }}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if l, err := again.Listen(t.Context()); err != nil {
		t.Errorf("the port of health was not given back: %v", err)
	} else if err := l.Serve(ctx); err != nil {
		t.Error(err)
	}
}
