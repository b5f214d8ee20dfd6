package platform

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	settings "kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/authority"
)

const (
	// readAgain is how often the authority is read, at most. Prometheus asks less often.
	readAgain = 10 * time.Second
	// readTimeout leaves time for a handshake of which reading is a part.
	readTimeout = 2 * time.Second
)

// Authority is the platform's authority for what the operator signs in memory. It reads
// past every cache and when it is asked: an operator that waits for the lease has no cache
// of Secrets, and shall not get one for this.
type Authority struct {
	Direct    client.Reader
	Namespace string
	Now       func() time.Time

	mu     sync.Mutex
	looked time.Time
	raw    []byte
	now    *authority.Authority
	trust  authority.Trust
}

// Current returns the authority and whom to trust. While it can't be read, it is the one
// that was read last; an error before there was one.
func (a *Authority) Current(ctx context.Context) (*authority.Authority, *x509.CertPool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Now()
	if a.now == nil || now.Sub(a.looked) >= readAgain {
		a.looked = now
		if err := a.read(ctx, now); err != nil && a.now == nil {
			return nil, nil, err
		}
	}
	return a.now, a.trust.Pool(now), nil
}

func (a *Authority) read(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var ca corev1.Secret
	if err := a.Direct.Get(ctx, client.ObjectKey{Namespace: a.Namespace, Name: settings.SecretCA}, &ca); err != nil {
		return fmt.Errorf("read the platform's authority: %w", err)
	}
	cert, key := ca.Data[corev1.TLSCertKey], ca.Data[corev1.TLSPrivateKeyKey]
	raw := slices.Concat(cert, key)
	if bytes.Equal(raw, a.raw) {
		return nil
	}
	next, err := authority.Read(cert, key)
	if err != nil {
		return err
	}
	if err := a.trust.Set(now, cert); err != nil {
		return err
	}
	a.raw, a.now = raw, next
	return nil
}
