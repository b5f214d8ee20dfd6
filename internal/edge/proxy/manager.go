package proxy

import (
	"context"
	"crypto/tls"
	"errors"

	"kubepanel.io/kubepanel/internal/edge/cert"
	"kubepanel.io/kubepanel/internal/edge/route"
)

// manager gives Caddy the certificate of a handshake.
type manager struct {
	module
	front *Front
}

// GetCertificate returns the certificate of the host that the visitor names: the
// one from the site's own Secret where it fits, else a leaf of the platform's CA.
// It returns nil, and so no certificate, for a host that no Ingress names.
func (m *manager) GetCertificate(_ context.Context, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := route.NormalHost(hello.ServerName)
	site := m.front.Table().Site(name)
	if site == nil {
		return nil, nil
	}
	if site.TLSSecret.Name != "" {
		if own := m.front.Own.Certificate(site.TLSSecret, name); own != nil {
			return own, nil
		}
	}
	leaf, err := m.front.Authority.Certificate(site.Host)
	// Readiness tells that the CA is missing; a line per handshake would not help.
	if errors.Is(err, cert.ErrNoCA) {
		return nil, nil
	}
	return leaf, err
}
