package domain

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb"
)

// offerEvery is how soon a server that did not know the operator's certificate is shown
// it again. Each time costs it a connection, which it logs.
const offerEvery = time.Minute

// proof is the operator's certificate for MariaDB. It lives in memory alone: who copies
// the platform's Secrets but for the authority's has nothing to sign in with.
type proof struct {
	// identity is nil as long as no authority could sign.
	identity *mariadb.Identity
	leaf     *x509.Certificate
	// authority is who signed, in PEM.
	authority []byte
	// refused is when the server did not know it last.
	refused time.Time
}

// signIn connects as the operator, with its certificate where the server knows the
// authority that signed it. One of an older release does not, nor does one that has
// not got the authority yet: it goes by the password, which is all that it asks for,
// and is shown the certificate again later.
func (s *Databases) signIn(ctx context.Context, account mariadb.Account) error {
	identity, err := s.identity(ctx)
	if err != nil {
		return err
	}
	if identity == nil {
		return s.connect(ctx, account)
	}
	if s.refusedLately() && s.holds(ctx, account) {
		return nil
	}
	proven := account
	proven.Identity = identity
	err = s.connect(ctx, proven)
	if !errors.Is(err, mariadb.ErrUnknown) {
		return err
	}
	s.mu.Lock()
	s.proof.refused = time.Now()
	s.mu.Unlock()
	return s.connect(ctx, account)
}

// refusedLately tells whether the server need not be shown the certificate yet.
func (s *Databases) refusedLately() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.proof.refused) < min(offerEvery, s.Trust)
}

// holds tells whether the server answers to exactly this account now.
func (s *Databases) holds(ctx context.Context, account mariadb.Account) bool {
	server := s.current()
	return server != nil && server.Account() == account && server.Ping(ctx) == nil
}

// identity returns what to show MariaDB, signed anew when it is near its end or the
// authority is another; nil while none can sign. It is the same one all the time, so
// that connections stay.
func (s *Databases) identity(ctx context.Context) (*mariadb.Identity, error) {
	ca, err := s.Authority(ctx)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read the platform's authority: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// An authority that can't sign leaves the certificate that there is, or the password alone.
	_ = s.proof.renew(ca, time.Now())
	return s.proof.identity, nil
}

// renew has the authority sign a certificate if that is due.
func (p *proof) renew(ca *corev1.Secret, now time.Time) error {
	cert := ca.Data[corev1.TLSCertKey]
	if p.identity != nil && bytes.Equal(p.authority, cert) && authority.Fresh(p.leaf, now) {
		return nil
	}
	signer, err := authority.Read(cert, ca.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return err
	}
	certificate, err := signer.IssueClient(now, authority.ClientLifetime, mariadb.Subject())
	if err != nil {
		return err
	}
	if p.identity == nil {
		p.identity = &mariadb.Identity{}
	}
	p.identity.Take(certificate)
	p.leaf, p.authority = certificate.Leaf, bytes.Clone(cert)
	return nil
}
