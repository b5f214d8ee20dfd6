package authority

import (
	"bytes"
	"crypto/x509"
	"errors"
	"sync"
	"time"
)

// Overlap is how long an authority is trusted after another one took its place. Its
// servers get their certificates anew within a minute, as files a minute or two later,
// and are to be reached all the while.
const Overlap = 5 * time.Minute

// Trust is whom a client of the platform's own servers trusts. The zero value trusts
// nobody.
type Trust struct {
	mu     sync.Mutex
	pem    []byte
	before []byte
	until  time.Time
	pool   *x509.CertPool
}

// Set takes the certificates of the authority of now, PEM. What it had before is
// trusted for Overlap; an error leaves all as it was.
func (t *Trust) Set(now time.Time, certPEM []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if bytes.Equal(t.pem, certPEM) {
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certPEM) {
		return errors.New("the authority has no certificate")
	}
	if t.before = t.pem; t.before != nil {
		pool.AppendCertsFromPEM(t.before)
		t.until = now.Add(Overlap)
	}
	t.pem, t.pool = bytes.Clone(certPEM), pool
	return nil
}

// Pool returns whom to trust; nil before the first Set, which a tls.Config takes for
// everybody whom the system trusts.
func (t *Trust) Pool(now time.Time) *x509.CertPool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil && !now.Before(t.until) {
		t.before, t.pool = nil, x509.NewCertPool()
		t.pool.AppendCertsFromPEM(t.pem)
	}
	return t.pool
}
