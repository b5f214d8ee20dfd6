package authority_test

import (
	"context"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
)

func TestAServerThatSignsForItselfRenewsInTime(t *testing.T) {
	now := time.Now()
	begin := now
	var ca *authority.Authority
	errNone := errors.New("there is no authority yet")
	s := &authority.Signed{
		Names: []string{panelName}, Now: func() time.Time { return now },
		Authority: func(context.Context) (*authority.Authority, *x509.CertPool, error) {
			if ca == nil {
				return nil, nil, errNone
			}
			roots := x509.NewCertPool()
			roots.AddCert(ca.Cert)
			return ca, roots, nil
		},
	}
	if _, _, err := s.Show(t.Context()); !errors.Is(err, errNone) {
		t.Errorf("before there is an authority: %v, want that", err)
	}
	ours, theirs := newSigner(t), newSigner(t)
	var before *x509.Certificate
	for _, step := range []struct {
		name    string
		ca      signer
		after   time.Duration
		renewed bool
	}{
		{"the first", ours, 0, true},
		{"a minute later", ours, time.Minute, false},
		{"in its first two thirds", ours, authority.Lifetime - authority.RenewBefore - time.Minute, false},
		{"in its last third", ours, authority.Lifetime - authority.RenewBefore, true},
		{"by another authority", theirs, authority.Lifetime - authority.RenewBefore, true},
		{"by that one a minute later", theirs, authority.Lifetime - authority.RenewBefore + time.Minute, false},
		{"long after anybody asked", theirs, 3 * authority.Lifetime, true},
	} {
		now, ca = begin.Add(step.after), step.ca.Authority
		shown, roots, err := s.Show(t.Context())
		must(t, err)
		if _, err := shown.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: panelName, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := before == nil || !shown.Leaf.Equal(before); got != step.renewed {
			t.Errorf("%s: renewed = %v, want %v", step.name, got, step.renewed)
		}
		before = shown.Leaf
	}
}
