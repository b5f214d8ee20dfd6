package authority_test

import (
	"crypto/x509"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
)

func TestTheAuthorityBeforeIsTrustedForAWhile(t *testing.T) {
	begin := time.Now()
	var certs [3][]byte
	var leaves [3]*x509.Certificate
	for i := range certs {
		certPEM, keyPEM, err := authority.New(begin)
		if err != nil {
			t.Fatal(err)
		}
		ca, err := authority.Read(certPEM, keyPEM)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := ca.Issue(begin, "panel.svc")
		if err != nil {
			t.Fatal(err)
		}
		certs[i], leaves[i] = certPEM, leaf.Leaf
	}
	var trust authority.Trust
	if trust.Pool(begin) != nil {
		t.Error("before the first authority somebody is trusted")
	}
	const never = -1
	for _, step := range []struct {
		name    string
		after   time.Duration
		set     int
		trusted [3]bool
	}{
		{"the first", 0, 0, [3]bool{true, false, false}},
		{"the first again", time.Minute, 0, [3]bool{true, false, false}},
		{"the second", time.Hour, 1, [3]bool{true, true, false}},
		{"the second again, which is no reason to trust the first for longer", time.Hour + 4*time.Minute, 1, [3]bool{true, true, false}},
		{"a while later", time.Hour + authority.Overlap, never, [3]bool{false, true, false}},
		{"the third", 2 * time.Hour, 2, [3]bool{false, true, true}},
		{"the first once more", 2*time.Hour + time.Minute, 0, [3]bool{true, false, true}},
	} {
		now := begin.Add(step.after)
		if step.set != never {
			if err := trust.Set(now, certs[step.set]); err != nil {
				t.Fatal(err)
			}
		}
		for i, leaf := range leaves {
			_, err := leaf.Verify(x509.VerifyOptions{DNSName: "panel.svc", Roots: trust.Pool(now), CurrentTime: now})
			if (err == nil) != step.trusted[i] {
				t.Errorf("%s: authority %d is trusted: %v (%v), want %v", step.name, i, err == nil, err, step.trusted[i])
			}
		}
	}
	if err := trust.Set(begin, []byte("no certificate")); err == nil {
		t.Error("what is no certificate was taken")
	}
	if _, err := leaves[0].Verify(x509.VerifyOptions{DNSName: "panel.svc", Roots: trust.Pool(begin), CurrentTime: begin}); err != nil {
		t.Errorf("after what is no certificate: %v, want the one before it", err)
	}
}
