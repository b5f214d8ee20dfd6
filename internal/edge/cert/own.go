package cert

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Own holds the certificates that sites bring in Secrets.
type Own struct {
	// Now tells the time; nil takes the clock.
	Now func() time.Time

	mu    sync.RWMutex
	pairs map[types.NamespacedName]*pair
}

type pair struct {
	raw  []byte
	cert *tls.Certificate
}

// Put takes a Secret's certificate chain and key, both PEM. A pair that can't be
// read takes the place of a good one away: what the Secret says is what counts.
func (o *Own) Put(name types.NamespacedName, certPEM, keyPEM []byte) error {
	raw := append(bytes.Clone(certPEM), keyPEM...)
	o.mu.Lock()
	defer o.mu.Unlock()
	if have := o.pairs[name]; have != nil && bytes.Equal(have.raw, raw) {
		return nil
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		delete(o.pairs, name)
		return fmt.Errorf("read the certificate in Secret %s: %w", name, err)
	}
	if o.pairs == nil {
		o.pairs = map[types.NamespacedName]*pair{}
	}
	o.pairs[name] = &pair{raw: raw, cert: &cert}
	return nil
}

// Keep drops all pairs but those of the named Secrets.
func (o *Own) Keep(names map[types.NamespacedName]int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name := range o.pairs {
		if _, keep := names[name]; !keep {
			delete(o.pairs, name)
		}
	}
}

// Delete forgets one Secret.
func (o *Own) Delete(name types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.pairs, name)
}

// Len returns how many pairs are in memory.
func (o *Own) Len() int {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return len(o.pairs)
}

// Certificate returns the Secret's certificate if it is there, covers serverName
// and is valid now, else nil.
func (o *Own) Certificate(name types.NamespacedName, serverName string) *tls.Certificate {
	o.mu.RLock()
	have := o.pairs[name]
	o.mu.RUnlock()
	if have == nil {
		return nil
	}
	now := time.Now()
	if o.Now != nil {
		now = o.Now()
	}
	leaf := have.cert.Leaf
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) || leaf.VerifyHostname(serverName) != nil {
		return nil
	}
	return have.cert
}
