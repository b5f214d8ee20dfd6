package images_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/scan"
	"kubepanel.io/kubepanel/internal/proctest"
)

// scannerName is the scanner's in the cluster.
const scannerName = "clamav.kubepanel-system.svc"

// panelSubject is what stands in the panel's certificate.
var panelSubject = pkix.Name{Organization: []string{"Kubepanel"}, CommonName: "kubepanel-panel"}

// admitting is a pod of the scanner: clamd that knows some harm, and the image's nginx
// before it.
type admitting struct {
	*clamav

	admit *clamav
	at    string
	ca    signer
}

// signer is an authority, and its certificate and key in PEM.
type signer struct {
	*authority.Authority

	pem, key []byte
}

func newSigner(t *testing.T) signer {
	t.Helper()
	certPEM, keyPEM, err := authority.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	a, err := authority.Read(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return signer{a, certPEM, keyPEM}
}

// client signs the certificate of somebody who signs in.
func (s signer) client(t *testing.T, lifetime time.Duration, subject pkix.Name) *tls.Certificate {
	t.Helper()
	leaf, err := s.IssueClient(time.Now(), lifetime, subject)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// server signs what the operator never does: a certificate of that name by which a server
// is spoken to, and nobody signs in.
func (s signer) server(t *testing.T, subject pkix.Name) *tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(s.pem, s.key)
	if err != nil {
		t.Fatal(err)
	}
	like := s.client(t, authority.Lifetime, subject)
	template := *like.Leaf
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, &template, s.Cert, like.Leaf.PublicKey, pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: like.PrivateKey}
}

func (s signer) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Cert)
	return pool
}

func startAdmitting(t *testing.T) *admitting {
	t.Helper()
	need(t, "nginx")
	c := newClamAV(t, "LARGEST_FILE=1")
	c.knows("main", "harm that main knows")
	c.knows("daily", "harm that daily knows")
	port := proctest.Port(t)
	a := &admitting{clamav: c, admit: &clamav{t: t, folder: c.folder, said: c.said}, at: fmt.Sprintf("127.0.0.1:%d", port), ca: newSigner(t)}
	text, err := os.ReadFile("clamav/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(" /tmp/", " "+c.path("run")+"/", "/run/kubepanel", c.path("run"), "/run/secrets", c.folder, "3310", fmt.Sprint(port)).Replace(string(text))
	config, secrets := c.path("etc/nginx.conf"), c.path("clamav-tls")
	if err := errors.Join(os.WriteFile(config, []byte(changed), 0o600), os.Mkdir(secrets, 0o755), proctest.Own(config, secrets)); err != nil {
		t.Fatal(err)
	}
	a.admit.env = []string{"CLAMAV_SECRETS=" + secrets, "CLAMAV_OVERLAP=3"}
	a.put(a.ca)
	a.admit.begin("clamav-admit")
	t.Cleanup(func() { a.admit.end(syscall.SIGQUIT) })
	c.until("nginx", func() bool {
		conn, err := net.Dial("tcp", a.at)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return a
}

// put makes a certificate of the scanner's and puts it there with its authority, as the
// kubelet does with a Secret's files.
func (a *admitting) put(by signer) *x509.Certificate {
	a.t.Helper()
	leaf, err := by.Issue(time.Now(), scannerName)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, key, err := authority.Encode(leaf)
	if err != nil {
		a.t.Fatal(err)
	}
	for name, data := range map[string][]byte{"tls.crt": cert, "tls.key": key, "ca.crt": by.pem} {
		path := filepath.Join(a.path("clamav-tls"), name)
		if err := errors.Join(os.WriteFile(path+".new", data, 0o600), proctest.Own(path+".new"), os.Rename(path+".new", path)); err != nil {
			a.t.Fatal(err)
		}
	}
	return leaf.Leaf
}

// asks has the panel's own client look at a text, as who has this certificate (nil: none)
// and believes these authorities.
func (a *admitting) asks(text string, as *tls.Certificate, roots *x509.CertPool) (string, error) {
	a.t.Helper()
	c, err := scan.Open("tls://" + a.at)
	if err != nil {
		a.t.Fatal(err)
	}
	c.Largest = 1 << 20
	c.Secure = func(context.Context) (*tls.Config, error) {
		config := &tls.Config{ServerName: scannerName, RootCAs: roots}
		if as != nil {
			config.Certificates = []tls.Certificate{*as}
		}
		return config, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return c.Scan(ctx, strings.NewReader(text))
}

const (
	harm      = "some harm that main knows"
	foundHarm = "Kubepanel.main.UNOFFICIAL"
)

// TestOnlyThePanelIsAdmittedToClamd asks for the same harm in many ways.
func TestOnlyThePanelIsAdmittedToClamd(t *testing.T) {
	a, other := startAdmitting(t), newSigner(t)
	panel := a.ca.client(t, authority.Lifetime, panelSubject)
	// Nobody is there before clamd is; then the panel is let in to it.
	if found, err := a.asks(harm, panel, a.ca.roots()); found != "" || err == nil {
		t.Errorf("before clamd is there: %q, %v, want an error", found, err)
	}
	a.begin("clamav-start")
	a.until("an answer", func() bool { return a.healthy() })
	if found, err := a.asks(harm, panel, a.ca.roots()); found != foundHarm || err != nil {
		t.Fatalf("the panel: %q, %v, want %s\n%s", found, err, foundHarm, a.said)
	}
	if found, err := a.asks("nothing", panel, a.ca.roots()); found != "" || err != nil {
		t.Errorf("nothing: %q, %v, want nothing", found, err)
	}
	if found, err := a.asks(strings.Repeat("x", 1<<20), panel, a.ca.roots()); found != "" || err != nil {
		t.Errorf("what is as large as may be: %q, %v, want nothing", found, err)
	}
	if found, err := a.asks(strings.Repeat("x", 1<<20+1), panel, a.ca.roots()); found != "" || !errors.Is(err, hosting.ErrTooLargeToScan) {
		t.Errorf("what is too large: %q, %v, want %v", found, err, hosting.ErrTooLargeToScan)
	}

	for name, as := range map[string]*tls.Certificate{
		"nobody":                            nil,
		"another program of the platform":   a.ca.client(t, authority.Lifetime, pkix.Name{Organization: []string{"Kubepanel"}, CommonName: "kubepanel-operator"}),
		"a name that has the panel's in it": a.ca.client(t, authority.Lifetime, pkix.Name{Organization: []string{"Kubepanel"}, CommonName: "x,CN=kubepanel-panel"}),
		"a server of the panel's name":      a.ca.server(t, panelSubject),
		"the panel of another authority":    other.client(t, authority.Lifetime, panelSubject),
		"the panel whose certificate ended": a.ca.client(t, -time.Minute, panelSubject),
	} {
		if found, err := a.asks(harm, as, a.ca.roots()); err == nil {
			t.Errorf("%s: %q, want no answer", name, found)
		}
	}
	if found, err := a.asks(harm, panel, other.roots()); err == nil {
		t.Errorf("the panel that believes another authority: %q, want that it does not speak", found)
	}
	a.refusesPlain()
	a.refusesOlderTLS(panel)
}

// refusesPlain speaks as a panel of the release before does.
func (a *admitting) refusesPlain() {
	a.t.Helper()
	plain, err := scan.Open("tcp://" + a.at)
	if err != nil {
		a.t.Fatal(err)
	}
	if found, err := plain.Scan(a.t.Context(), strings.NewReader(harm)); err == nil {
		a.t.Errorf("in clear: %q, want no answer", found)
	}
}

func (a *admitting) refusesOlderTLS(panel *tls.Certificate) {
	a.t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", a.at,
		&tls.Config{ServerName: scannerName, RootCAs: a.ca.roots(), Certificates: []tls.Certificate{*panel}, MaxVersion: tls.VersionTLS12})
	if err == nil {
		conn.Close()
		a.t.Error("TLS 1.2 was spoken")
	}
}

// A certificate counts as soon as it is there; an authority's place is taken by another one
// while the panel still has a certificate of the one before.
func TestClamdsNginxTakesAnotherCertificateAndAnotherAuthority(t *testing.T) {
	a := startAdmitting(t)
	a.begin("clamav-start")
	a.until("an answer", a.healthy)
	before := a.ca.client(t, authority.Lifetime, panelSubject)
	asks := func(step string, as *tls.Certificate, by signer, want bool) {
		t.Helper()
		found, err := a.asks(harm, as, by.roots())
		if got := found == foundHarm && err == nil; got != want {
			t.Errorf("%s: %q, %v, want it answered: %t", step, found, err, want)
		}
	}
	asks("first", before, a.ca, true)
	renewed := a.put(a.ca)
	shown, err := tls.Dial("tcp", a.at, &tls.Config{ServerName: scannerName, RootCAs: a.ca.roots(), Certificates: []tls.Certificate{*before}})
	if err != nil {
		t.Fatal(err)
	}
	if !shown.ConnectionState().PeerCertificates[0].Equal(renewed) {
		t.Error("it shows a certificate that was renewed")
	}
	shown.Close()

	next := newSigner(t)
	a.put(next)
	after := next.client(t, authority.Lifetime, panelSubject)
	a.until("the other authority", func() bool { found, err := a.asks(harm, after, next.roots()); return err == nil && found == foundHarm })
	asks("while the panel has its certificate of before", before, next, true)
	a.until("the end of the one before", func() bool { _, err := a.asks(harm, before, next.roots()); return err != nil })
	asks("with the other authority alone", after, next, true)
}
