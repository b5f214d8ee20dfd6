package cert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"kubepanel.io/kubepanel/internal/authority"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// made is a certificate made for a test.
type made struct {
	cert    *x509.Certificate
	key     crypto.Signer
	certPEM []byte
	keyPEM  []byte
}

func make1(t *testing.T, template *x509.Certificate, parent *made) *made {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	m := &made{key: key}
	signer, issuer := crypto.Signer(key), template
	if parent != nil {
		signer, issuer = parent.key, parent.cert
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if m.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	m.certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	m.keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return m
}

func newCA(t *testing.T, name string, life time.Duration, parent *made) *made {
	t.Helper()
	return make1(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(life),
	}, parent)
}

const tenYears = 10 * 365 * 24 * time.Hour

func startAuthority(t *testing.T, ca *made) (*Authority, *time.Time) {
	t.Helper()
	now := epoch
	a := &Authority{Now: func() time.Time { return now }}
	if err := a.SetCA(ca.certPEM, ca.keyPEM); err != nil {
		t.Fatal(err)
	}
	return a, &now
}

func verify(t *testing.T, a *Authority, host, name string, root *made, at time.Time) *x509.Certificate {
	t.Helper()
	c, err := a.Certificate(host)
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root.cert)
	for _, der := range c.Certificate[1:] {
		extra, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(extra)
	}
	if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: between, CurrentTime: at}); err != nil {
		t.Errorf("certificate of %s for %s: %v", host, name, err)
	}
	return c.Leaf
}

func TestLeafIsTrustedForItsHost(t *testing.T) {
	ca := newCA(t, "root", tenYears, nil)
	a, _ := startAuthority(t, ca)
	long := strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + ".test"
	for host, name := range map[string]string{
		"shop.test": "shop.test", "*.shop.test": "any.shop.test", "xn--e1afmkfd.xn--p1ai": "xn--e1afmkfd.xn--p1ai", long: long,
	} {
		leaf := verify(t, a, host, name, ca, epoch)
		key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
		if !ok || key.Curve != elliptic.P256() {
			t.Errorf("key of %s = %T, want ECDSA P-256", host, leaf.PublicKey)
		}
		if days := leaf.NotAfter.Sub(epoch).Hours() / 24; days < 30 || days > 90 {
			t.Errorf("%s lives %.0f days, want 30 to 90", host, days)
		}
		if leaf.IsCA {
			t.Errorf("leaf of %s is a CA", host)
		}
	}
	if got := a.Len(); got != 4 {
		t.Errorf("leaves in memory = %d, want 4", got)
	}
	a.Forget("shop.test", "unknown.test")
	if got := a.Len(); got != 3 {
		t.Errorf("leaves in memory after one is forgotten = %d, want 3", got)
	}
}

func TestLeafIsRenewedAhead(t *testing.T) {
	ca := newCA(t, "root", tenYears, nil)
	a, now := startAuthority(t, ca)
	first := verify(t, a, "shop.test", "shop.test", ca, epoch)
	*now = epoch.Add(authority.Lifetime - authority.RenewBefore - time.Minute)
	if again := verify(t, a, "shop.test", "shop.test", ca, *now); !again.Equal(first) {
		t.Error("a leaf in its first two thirds was made anew")
	}
	*now = epoch.Add(authority.Lifetime - authority.RenewBefore + time.Minute)
	if again := verify(t, a, "shop.test", "shop.test", ca, *now); again.Equal(first) {
		t.Error("a leaf in its last third was not made anew")
	}
	*now = epoch.Add(-48 * time.Hour) // the clock was set back
	if again, err := a.Certificate("shop.test"); err != nil || again.Leaf.NotBefore.After(*now) {
		t.Errorf("after the clock went back: NotBefore = %v, error %v, want a leaf valid at %v", again.Leaf.NotBefore, err, *now)
	}
}

func TestLeafEndsWithItsCA(t *testing.T) {
	ca := newCA(t, "root", 20*24*time.Hour, nil)
	a, now := startAuthority(t, ca)
	leaf := verify(t, a, "shop.test", "shop.test", ca, epoch)
	if !leaf.NotAfter.Equal(ca.cert.NotAfter) {
		t.Errorf("NotAfter = %v, want the CA's %v", leaf.NotAfter, ca.cert.NotAfter)
	}
	if again := verify(t, a, "shop.test", "shop.test", ca, epoch); !again.Equal(leaf) {
		t.Error("a leaf cut short by its CA is made anew at each handshake")
	}
	*now = ca.cert.NotAfter
	if _, err := a.Certificate("shop.test"); err == nil {
		t.Error("an ended CA issued a certificate")
	}
}

func TestChangedCASignsAnew(t *testing.T) {
	one, two := newCA(t, "one", tenYears, nil), newCA(t, "two", tenYears, nil)
	a, _ := startAuthority(t, one)
	first := verify(t, a, "shop.test", "shop.test", one, epoch)
	if err := a.SetCA(one.certPEM, one.keyPEM); err != nil {
		t.Fatal(err)
	}
	if again := verify(t, a, "shop.test", "shop.test", one, epoch); !again.Equal(first) {
		t.Error("the same CA, set again, made leaves anew")
	}
	if err := a.SetCA(two.certPEM, two.keyPEM); err != nil {
		t.Fatal(err)
	}
	verify(t, a, "shop.test", "shop.test", two, epoch)
}

func TestIntermediateCASendsItsChain(t *testing.T) {
	root := newCA(t, "root", tenYears, nil)
	middle := newCA(t, "middle", tenYears, root)
	a := &Authority{Now: func() time.Time { return epoch }}
	if err := a.SetCA(append(middle.certPEM, root.certPEM...), middle.keyPEM); err != nil {
		t.Fatal(err)
	}
	verify(t, a, "shop.test", "shop.test", root, epoch)
}

func TestUnusableCAIsRefused(t *testing.T) {
	ca, other := newCA(t, "root", tenYears, nil), newCA(t, "other", tenYears, nil)
	leaf := make1(t, &x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}, NotAfter: epoch.Add(tenYears)}, ca)
	tests := map[string][2][]byte{
		"nothing":        {nil, nil},
		"no PEM":         {[]byte("x"), []byte("y")},
		"another's key":  {ca.certPEM, other.keyPEM},
		"not a CA":       {leaf.certPEM, leaf.keyPEM},
		"key is missing": {ca.certPEM, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := &Authority{}
			if err := a.SetCA(tt[0], tt[1]); err == nil {
				t.Error("SetCA = nil, want an error")
			}
			if _, err := a.Certificate("shop.test"); !errors.Is(err, ErrNoCA) {
				t.Errorf("Certificate = %v, want ErrNoCA", err)
			}
			if a.Ready() {
				t.Error("Ready() = true")
			}
		})
	}
	a, _ := startAuthority(t, ca)
	if err := a.SetCA(nil, nil); err == nil {
		t.Error("SetCA of nothing = nil, want an error")
	}
	verify(t, a, "shop.test", "shop.test", ca, epoch) // the good one stays
}

func TestOwnCertificateCountsOnlyWhereItFits(t *testing.T) {
	ca := newCA(t, "public", tenYears, nil)
	own := make1(t, &x509.Certificate{
		DNSNames: []string{"shop.test", "*.shop.test"}, NotBefore: epoch, NotAfter: epoch.Add(24 * time.Hour),
	}, ca)
	now := epoch.Add(time.Hour)
	o := &Own{Now: func() time.Time { return now }}
	name := types.NamespacedName{Namespace: "a", Name: "own"}
	if err := o.Put(name, own.certPEM, own.keyPEM); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		secret types.NamespacedName
		server string
		at     time.Duration
		want   bool
	}{
		"fits":           {name, "shop.test", time.Hour, true},
		"wildcard fits":  {name, "www.shop.test", time.Hour, true},
		"another name":   {name, "other.test", time.Hour, false},
		"not yet":        {name, "shop.test", -time.Hour, false},
		"ended":          {name, "shop.test", 25 * time.Hour, false},
		"another Secret": {types.NamespacedName{Namespace: "b", Name: "own"}, "shop.test", time.Hour, false},
	}
	for what, tt := range tests {
		now = epoch.Add(tt.at)
		if got := o.Certificate(tt.secret, tt.server) != nil; got != tt.want {
			t.Errorf("%s: certificate = %v, want %v", what, got, tt.want)
		}
	}
	now = epoch.Add(time.Hour)
	if err := o.Put(name, []byte("broken"), own.keyPEM); err == nil || o.Certificate(name, "shop.test") != nil {
		t.Errorf("after a broken pair: error %v, certificate still there: %v", err, o.Certificate(name, "shop.test") != nil)
	}
	if err := o.Put(name, own.certPEM, own.keyPEM); err != nil {
		t.Fatal(err)
	}
	o.Keep(nil)
	if got := o.Len(); got != 0 {
		t.Errorf("after Keep of nothing: %d, want 0", got)
	}
}
