package program_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
)

// leaves makes certificates of the platform's authority, which the operator makes.
type leaves struct {
	world *world

	mu      sync.Mutex
	ca      *tls.Certificate
	private *ecdsa.PrivateKey
}

func (l *leaves) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	ca, private, err := l.authority()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{hello.ServerName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Leaf, private.Public(), ca.PrivateKey)
	return &tls.Certificate{Certificate: [][]byte{der, ca.Certificate[0]}, PrivateKey: private}, err
}

// authority reads the CA once, and makes one key for all leaves.
func (l *leaves) authority() (*tls.Certificate, *ecdsa.PrivateKey, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ca != nil {
		return l.ca, l.private, nil
	}
	var secret corev1.Secret
	key := client.ObjectKey{Namespace: l.world.settings.Namespace, Name: platform.SecretCA}
	if err := l.world.client.Get(context.Background(), key, &secret); err != nil {
		return nil, nil, err
	}
	ca, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, nil, err
	}
	if l.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, nil, err
	}
	l.ca = &ca
	return l.ca, l.private, nil
}
