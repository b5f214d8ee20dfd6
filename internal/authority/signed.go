package authority

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"sync"
	"time"
)

// Signed is the certificate of a server that has the authority's key: made when somebody
// asks, renewed ahead of its end and with another authority, and kept in memory alone. The
// fields are set before Show.
type Signed struct {
	// Names are the server's, as Issue takes them.
	Names []string
	// Authority returns the one of now and whom to trust; an error while there is none.
	Authority func(context.Context) (*Authority, *x509.CertPool, error)
	Now       func() time.Time

	mu   sync.Mutex
	by   *Authority
	leaf *tls.Certificate
}

// Show returns the certificate of now and whom to trust.
func (s *Signed) Show(ctx context.Context) (*tls.Certificate, *x509.CertPool, error) {
	ca, roots, err := s.Authority(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.Now(); s.by != ca || !Fresh(s.leaf.Leaf, now) {
		leaf, err := ca.Issue(now, s.Names...)
		if err != nil {
			return nil, nil, err
		}
		s.by, s.leaf = ca, leaf
	}
	return s.leaf, roots, nil
}
