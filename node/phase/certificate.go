package phase

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"kubepanel.io/kubepanel/node/machine"
)

// authority is the pair that signs for the cluster, without ".crt" and ".key"; kubeadm makes it.
const authority = "/etc/kubernetes/pki/ca"

// renewBefore is how long before its end a certificate is signed anew by the next 'node up'.
const renewBefore = 365 * 24 * time.Hour

// server is one that the cluster's authority signs for.
type server struct {
	subject   pkix.Name
	names     []string
	addresses []net.IP
}

// kubeletCertificate is what the kubelet shows to whoever asks it for logs and figures.
func (n *Node) kubeletCertificate() error {
	s := server{
		// As Kubernetes' own signer of kubelets' certificates has it (kubernetes.io/kubelet-serving).
		subject:   pkix.Name{CommonName: "system:node:" + n.place.Hostname(), Organization: []string{"system:nodes"}},
		names:     []string{n.place.Hostname()},
		addresses: []net.IP{net.ParseIP(n.settings.Address())},
	}
	if n.settings.IPv6 {
		s.addresses = append(s.addresses, net.ParseIP(n.settings.Address6()))
	}
	_, _, err := n.serverPair(kubeletServing, s)
	return err
}

// serverPair is a server's certificate and key in PEM, kept in PATH.crt and PATH.key. It is signed anew when its names or
// the authority are others, and in its last year; it lives as long as the authority, for the reason in kubeadm.yaml.
func (n *Node) serverPair(path string, s server) (certificate, key []byte, err error) {
	signer, err := tls.LoadX509KeyPair(n.path(authority+".crt"), n.path(authority+".key"))
	if err != nil {
		return nil, nil, fmt.Errorf("read the cluster's authority: %w", err)
	}
	certFile, keyFile := n.path(path+".crt"), n.path(path+".key")
	if pair, err := tls.LoadX509KeyPair(certFile, keyFile); err == nil && s.shows(pair.Leaf, signer.Leaf, time.Now()) {
		certificate, certErr := os.ReadFile(certFile)
		key, keyErr := os.ReadFile(keyFile)
		return certificate, key, errors.Join(certErr, keyErr)
	}
	if certificate, key, err = s.sign(signer); err != nil {
		return nil, nil, fmt.Errorf("sign a certificate for %s: %w", s.subject.CommonName, err)
	}
	// The key first: a run killed in between leaves a pair that does not fit, which the next one makes anew.
	err = machine.WriteFile(keyFile, key, 0o600)
	if err == nil {
		err = machine.WriteFile(certFile, certificate, 0o644)
	}
	return certificate, key, err
}

// shows tells whether a certificate is still what the server should show.
func (s server) shows(have, signer *x509.Certificate, now time.Time) bool {
	ends := now.Add(renewBefore)
	if signer.NotAfter.Before(ends) {
		ends = signer.NotAfter
	}
	return have.CheckSignatureFrom(signer) == nil && !have.NotAfter.Before(ends) &&
		have.Subject.String() == s.subject.String() && slices.Equal(have.DNSNames, s.names) &&
		slices.EqualFunc(have.IPAddresses, s.addresses, net.IP.Equal)
}

func (s server) sign(signer tls.Certificate) (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		Subject: s.subject, DNSNames: s.names, IPAddresses: s.addresses,
		NotBefore: signer.Leaf.NotBefore, NotAfter: signer.Leaf.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.Leaf, &private.PublicKey, signer.PrivateKey)
	if err != nil {
		return nil, nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), nil
}
