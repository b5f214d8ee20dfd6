package cert

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
)

// ErrNoCA tells that the CA has not been read yet.
var ErrNoCA = errors.New("the platform's CA is not there yet")

// Authority issues leaves for hosts. It is empty until SetCA.
type Authority struct {
	// Now tells the time; nil takes the clock.
	Now func() time.Time

	ca     atomic.Pointer[ca]
	trust  authority.Trust
	mu     sync.RWMutex
	leaves map[string]*tls.Certificate
}

// ca is the authority of now, and what it was read from.
type ca struct {
	*authority.Authority
	raw []byte
}

// SetCA takes the CA's certificate, with its chain if it is an intermediate one,
// and its key, both PEM. A changed CA makes every leaf anew.
func (a *Authority) SetCA(certPEM, keyPEM []byte) error {
	raw := append(bytes.Clone(certPEM), keyPEM...)
	if have := a.ca.Load(); have != nil && bytes.Equal(have.raw, raw) {
		return nil
	}
	read, err := authority.Read(certPEM, keyPEM)
	if err != nil {
		return err
	}
	if err := a.trust.Set(a.now(), certPEM); err != nil {
		return err
	}
	next := &ca{Authority: read, raw: raw}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ca.Store(next)
	a.leaves = map[string]*tls.Certificate{}
	return nil
}

// Roots returns whom to trust for servers of the platform's own; nil before SetCA.
func (a *Authority) Roots() *x509.CertPool { return a.trust.Pool(a.now()) }

// Current returns the CA itself and whom to trust, or ErrNoCA before SetCA.
func (a *Authority) Current(context.Context) (*authority.Authority, *x509.CertPool, error) {
	c := a.ca.Load()
	if c == nil {
		return nil, nil, ErrNoCA
	}
	return c.Authority, a.Roots(), nil
}

// Ready reports whether there is a CA.
func (a *Authority) Ready() bool { return a.ca.Load() != nil }

// Expires returns when the CA ends, or the zero time without one.
func (a *Authority) Expires() time.Time {
	if c := a.ca.Load(); c != nil {
		return c.Cert.NotAfter
	}
	return time.Time{}
}

// Len returns how many leaves are in memory.
func (a *Authority) Len() int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return len(a.leaves)
}

// Forget drops the leaves of hosts that are no longer served.
func (a *Authority) Forget(hosts ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, host := range hosts {
		delete(a.leaves, host)
	}
}

// Certificate returns a leaf for host, which may have a leading `*.`. It makes one
// when there is none or the one there is nears its end. It returns ErrNoCA before
// SetCA. That the host may have a certificate is for the caller to know.
func (a *Authority) Certificate(host string) (*tls.Certificate, error) {
	c := a.ca.Load()
	if c == nil {
		return nil, ErrNoCA
	}
	now := a.now()
	a.mu.RLock()
	leaf := a.leaves[host]
	a.mu.RUnlock()
	if leaf != nil && authority.Fresh(leaf.Leaf, now) {
		return leaf, nil
	}
	leaf, err := c.Issue(now, host)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %s: %w", host, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	// The CA may have changed meanwhile; then this leaf serves one handshake only.
	if a.ca.Load() == c {
		a.leaves[host] = leaf
	}
	return leaf, nil
}

func (a *Authority) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}
