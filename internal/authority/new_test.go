package authority_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
)

func TestAuthoritySignsForTenYears(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	cert, key, err := authority.New(now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	ca := pair.Leaf
	if !ca.IsCA || ca.Subject.CommonName != "Kubepanel platform CA" {
		t.Errorf("certificate of %s, CA %v", ca.Subject, ca.IsCA)
	}
	if want := now.AddDate(10, 0, 0); !ca.NotAfter.Equal(want) || ca.NotBefore.After(now) {
		t.Errorf("valid from %s to %s, want to %s", ca.NotBefore, ca.NotAfter, want)
	}
	if public, ok := ca.PublicKey.(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		t.Errorf("key is a %T, want ECDSA on P-256", ca.PublicKey)
	}
}

func TestClientsCertificateSignsInForADayAndServesNothing(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	cert, key, err := authority.New(now)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authority.Read(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := signer.IssueClient(now, authority.ClientLifetime, pkix.Name{Organization: []string{"Ours"}, CommonName: "program"})
	if err != nil {
		t.Fatal(err)
	}
	server, err := signer.Issue(now, "program")
	if err != nil {
		t.Fatal(err)
	}
	if got := client.Leaf.Subject.String(); got != "CN=program,O=Ours" {
		t.Errorf("subject = %s", got)
	}
	roots := x509.NewCertPool()
	roots.AddCert(signer.Cert)
	good := func(c *tls.Certificate, as x509.ExtKeyUsage, at time.Time) bool {
		_, err := c.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{as}})
		return err == nil
	}
	tests := map[string]struct {
		certificate *tls.Certificate
		as          x509.ExtKeyUsage
		after       time.Duration
		good        bool
	}{
		"a client's signs in":            {client, x509.ExtKeyUsageClientAuth, 0, true},
		"a client's for a day":           {client, x509.ExtKeyUsageClientAuth, 24*time.Hour - time.Second, true},
		"a client's no longer":           {client, x509.ExtKeyUsageClientAuth, 24*time.Hour + time.Second, false},
		"a client's is no server's":      {client, x509.ExtKeyUsageServerAuth, 0, false},
		"a server's is nobody's to sign": {server, x509.ExtKeyUsageClientAuth, 0, false},
	}
	for name, tt := range tests {
		if got := good(tt.certificate, tt.as, now.Add(tt.after)); got != tt.good {
			t.Errorf("%s: good = %v, want %v", name, got, tt.good)
		}
	}
	for after, want := range map[time.Duration]bool{0: true, 15 * time.Hour: true, 16 * time.Hour: false} {
		if got := authority.Fresh(client.Leaf, now.Add(after)); got != want {
			t.Errorf("Fresh() after %s = %v, want %v", after, got, want)
		}
	}
}
