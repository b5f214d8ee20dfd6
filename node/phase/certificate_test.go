package phase

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kubepanel.io/kubepanel/node/machine"
)

// newAuthority writes a new authority of a node, as kubeadm does.
func newAuthority(t *testing.T, n *Node) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, data := range map[string][]byte{
		authority + ".crt": certificate,
		authority + ".key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	} {
		if err := machine.WriteFile(n.path(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	return pool
}

// trusts is what a client that trusts the authority says to a certificate under a name.
func trusts(t *testing.T, roots *x509.CertPool, name string, certificate []byte) error {
	t.Helper()
	block, _ := pem.Decode(certificate)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err
}

func TestServersShowWhatTheClustersAuthoritySigned(t *testing.T) {
	n := node(t)
	roots := newAuthority(t, n)
	s := server{subject: pkix.Name{CommonName: "system:node:a"}, names: []string{"a.example"}, addresses: []net.IP{net.ParseIP("10.213.1.2")}}
	certificate, _, err := n.serverPair("/pki/serving", s)
	if err != nil {
		t.Fatal(err)
	}
	for name, good := range map[string]bool{"a.example": true, "10.213.1.2": true, "b.example": false, "10.213.1.3": false} {
		if err := trusts(t, roots, name, certificate); (err == nil) != good {
			t.Errorf("who asks for %s says %v, want trust %t", name, err, good)
		}
	}
	if info, err := os.Stat(n.path("/pki/serving.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is %v, %v; want it for root alone", info, err)
	}
}

func TestACertificateIsSignedAnewOnlyWhenItHasTo(t *testing.T) {
	n := node(t)
	newAuthority(t, n)
	s := server{subject: pkix.Name{CommonName: "a"}, names: []string{"a.example"}, addresses: []net.IP{net.ParseIP("10.213.1.2")}}
	last, _, err := n.serverPair("/pki/serving", s)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		about  string
		change func()
		anew   bool
	}{
		{"nothing", func() {}, false},
		{"the address", func() { s.addresses = []net.IP{net.ParseIP("10.213.1.3")} }, true},
		{"the name", func() { s.names = []string{"b.example"} }, true},
		{"half of the pair is gone", func() { remove(t, n.path("/pki/serving.crt")) }, true},
		{"a run died between key and certificate", func() { write(t, n.path("/pki/serving.key"), "") }, true},
		{"the authority", func() { newAuthority(t, n) }, true},
		{"nothing any more", func() {}, false},
	} {
		step.change()
		certificate, key, err := n.serverPair("/pki/serving", s)
		if err != nil {
			t.Fatalf("%s: %v", step.about, err)
		}
		if anew := !bytes.Equal(certificate, last); anew != step.anew {
			t.Errorf("%s: signed anew %t, want %t", step.about, anew, step.anew)
		}
		if _, err := tls.X509KeyPair(certificate, key); err != nil {
			t.Errorf("%s: %v", step.about, err)
		}
		last = certificate
	}
}

func TestACertificateIsRenewedInItsLastYear(t *testing.T) {
	n := node(t)
	newAuthority(t, n)
	s := server{subject: pkix.Name{CommonName: "a"}, names: []string{"a.example"}}
	if _, _, err := n.serverPair("/pki/serving", s); err != nil {
		t.Fatal(err)
	}
	signer, err := tls.LoadX509KeyPair(n.path(authority+".crt"), n.path(authority+".key"))
	if err != nil {
		t.Fatal(err)
	}
	have, err := tls.LoadX509KeyPair(n.path("/pki/serving.crt"), n.path("/pki/serving.key"))
	if err != nil {
		t.Fatal(err)
	}
	short := *have.Leaf
	short.NotAfter = have.Leaf.NotAfter.AddDate(-1, 0, 0)
	for years, want := range map[int]bool{0: true, 7: true, 9: false} {
		if got := s.shows(&short, signer.Leaf, time.Now().AddDate(years, 0, 0)); got != want {
			t.Errorf("a certificate that ends a year before its authority, after %d years: good %t, want %t", years, got, want)
		}
	}
	// What lives as long as the authority can't be made to live longer.
	if !s.shows(have.Leaf, signer.Leaf, have.Leaf.NotAfter.Add(-time.Hour)) {
		t.Error("a certificate as long as its authority is signed anew, want it kept")
	}
}

func TestWithoutAnAuthorityNothingIsSigned(t *testing.T) {
	n := node(t)
	if _, _, err := n.serverPair("/pki/serving", server{}); err == nil {
		t.Error("serverPair() = nil, want an error")
	}
	if entries, _ := filepath.Glob(n.path("/pki/*")); len(entries) > 0 {
		t.Errorf("%v were written", entries)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
