// Package authority signs certificates with the platform's own certificate
// authority: those of servers, and those by which the platform's programs sign in. It
// says whom clients trust while another one takes its place.
//
// It must never write to a disk, talk to a network or decide which names a server
// may have.
package authority

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

const (
	// Lifetime of a leaf in a Secret: browsers refuse more than 398 days (CA/Browser Forum).
	Lifetime = 60 * 24 * time.Hour
	// RenewBefore leaves a third of the lifetime, as certmagic does.
	RenewBefore = Lifetime / 3
	// ClientLifetime is that of a client who keeps its certificate in memory: it gets
	// another whenever it likes, so one that is stolen is soon worth nothing.
	ClientLifetime = 24 * time.Hour
	// backdate forgives clients whose clock is behind ours.
	backdate = time.Hour
	// maxCommonName is the upper bound of RFC 5280, ub-common-name.
	maxCommonName = 64
)

// Authority is a signing certificate and what clients need to see of its chain.
type Authority struct {
	// Cert is the authority's own certificate.
	Cert *x509.Certificate

	key   crypto.Signer
	chain [][]byte
}

// Read takes an authority's certificate, with its chain if it is an intermediate
// one, and its key, both PEM.
func Read(certPEM, keyPEM []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read the CA: %w", err)
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("read the CA: a %T can't sign", pair.PrivateKey)
	}
	if !pair.Leaf.IsCA {
		return nil, fmt.Errorf("read the CA: %s is not a CA", pair.Leaf.Subject)
	}
	a := &Authority{Cert: pair.Leaf, key: signer, chain: pair.Certificate}
	// A client that trusts the root has it; sending it only costs bytes.
	if bytes.Equal(pair.Leaf.RawIssuer, pair.Leaf.RawSubject) {
		a.chain = nil
	}
	return a, nil
}

// Issue makes a key and a certificate of a server that has these names, of which
// the first is its common one; addresses are names too.
func (a *Authority) Issue(now time.Time, names ...string) (*tls.Certificate, error) {
	template := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	if len(names) > 0 && len(names[0]) <= maxCommonName {
		template.Subject = pkix.Name{CommonName: names[0]}
	}
	return a.sign(template, now, Lifetime)
}

// IssueClient makes a key and a certificate by which a program signs in under that
// name for a time. No server can be spoken to by it, and no server's certificate
// signs in.
func (a *Authority) IssueClient(now time.Time, lifetime time.Duration, subject pkix.Name) (*tls.Certificate, error) {
	template := &x509.Certificate{Subject: subject, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	return a.sign(template, now, lifetime)
}

// sign makes a key and completes its certificate, which ends with its CA at the latest.
func (a *Authority) sign(template *x509.Certificate, now time.Time, lifetime time.Duration) (*tls.Certificate, error) {
	if !now.Before(a.Cert.NotAfter) {
		return nil, fmt.Errorf("the CA %s ended on %s", a.Cert.Subject, a.Cert.NotAfter.Format(time.DateOnly))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	// RFC 5280 section 4.1.2.2: positive, at most 20 octets.
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.NotBefore, template.NotAfter = now.Add(-backdate), now.Add(lifetime)
	if a.Cert.NotAfter.Before(template.NotAfter) {
		template.NotAfter = a.Cert.NotAfter
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.Cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: append([][]byte{der}, a.chain...), PrivateKey: key, Leaf: leaf}, nil
}

// Fresh reports whether leaf need not be renewed. A leaf that was cut short by its
// CA's end is renewed in the last third of what it has.
func Fresh(leaf *x509.Certificate, now time.Time) bool {
	margin := min(RenewBefore, leaf.NotAfter.Sub(leaf.NotBefore)/3)
	return now.Before(leaf.NotAfter.Add(-margin)) && !now.Before(leaf.NotBefore)
}

// Encode returns a certificate with its chain and its key, both PEM.
func Encode(c *tls.Certificate) (certPEM, keyPEM []byte, err error) {
	for _, der := range c.Certificate {
		certPEM = append(certPEM, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the key: %w", err)
	}
	return certPEM, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), nil
}
