package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lifetime of a leaf. Keys live in memory only and die with the process, so
	// it may be long; browsers refuse more than 398 days (CA/Browser Forum).
	lifetime = 60 * 24 * time.Hour
	// renewBefore leaves a third of the lifetime, as certmagic does.
	renewBefore = lifetime / 3
	// backdate forgives clients whose clock is behind ours.
	backdate = time.Hour
	// maxCommonName is the upper bound of RFC 5280, ub-common-name.
	maxCommonName = 64
)

// ErrNoCA tells that the CA has not been read yet.
var ErrNoCA = errors.New("the platform's CA is not there yet")

// Authority issues leaves for hosts. It is empty until SetCA.
type Authority struct {
	// Now tells the time; nil takes the clock.
	Now func() time.Time

	ca     atomic.Pointer[ca]
	mu     sync.RWMutex
	leaves map[string]*tls.Certificate
}

// ca is a signing certificate and what clients need to see of its chain.
type ca struct {
	raw   []byte
	cert  *x509.Certificate
	key   crypto.Signer
	chain [][]byte
}

// SetCA takes the CA's certificate, with its chain if it is an intermediate one,
// and its key, both PEM. A changed CA makes every leaf anew.
func (a *Authority) SetCA(certPEM, keyPEM []byte) error {
	raw := append(bytes.Clone(certPEM), keyPEM...)
	if have := a.ca.Load(); have != nil && bytes.Equal(have.raw, raw) {
		return nil
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return fmt.Errorf("read the CA: %w", err)
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return fmt.Errorf("read the CA: a %T can't sign", pair.PrivateKey)
	}
	if !pair.Leaf.IsCA {
		return fmt.Errorf("read the CA: %s is not a CA", pair.Leaf.Subject)
	}
	next := &ca{raw: raw, cert: pair.Leaf, key: signer, chain: pair.Certificate}
	// A client that trusts the root has it; sending it only costs bytes.
	if bytes.Equal(pair.Leaf.RawIssuer, pair.Leaf.RawSubject) {
		next.chain = nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ca.Store(next)
	a.leaves = map[string]*tls.Certificate{}
	return nil
}

// Ready reports whether there is a CA.
func (a *Authority) Ready() bool { return a.ca.Load() != nil }

// Expires returns when the CA ends, or the zero time without one.
func (a *Authority) Expires() time.Time {
	if c := a.ca.Load(); c != nil {
		return c.cert.NotAfter
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
	if leaf != nil && fresh(leaf.Leaf, now) {
		return leaf, nil
	}
	leaf, err := c.issue(host, now)
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

// fresh reports whether leaf need not be renewed. A leaf that was cut short by its
// CA's end is renewed in the last third of what it has.
func fresh(leaf *x509.Certificate, now time.Time) bool {
	margin := min(renewBefore, leaf.NotAfter.Sub(leaf.NotBefore)/3)
	return now.Before(leaf.NotAfter.Add(-margin)) && !now.Before(leaf.NotBefore)
}

func (c *ca) issue(host string, now time.Time) (*tls.Certificate, error) {
	if !now.Before(c.cert.NotAfter) {
		return nil, fmt.Errorf("the CA %s ended on %s", c.cert.Subject, c.cert.NotAfter.Format(time.DateOnly))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	// RFC 5280 section 4.1.2.2: positive, at most 20 octets.
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	end := now.Add(lifetime)
	if c.cert.NotAfter.Before(end) {
		end = c.cert.NotAfter
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		DNSNames:     []string{host},
		NotBefore:    now.Add(-backdate),
		NotAfter:     end,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if len(host) <= maxCommonName {
		template.Subject = pkix.Name{CommonName: host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, key.Public(), c.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: append([][]byte{der}, c.chain...), PrivateKey: key, Leaf: leaf}, nil
}
