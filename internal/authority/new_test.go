package authority_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
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
