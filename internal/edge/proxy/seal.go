package proxy

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"

	"github.com/caddyserver/caddy/v2/modules/caddytls"
	"github.com/caddyserver/certmagic"
)

// errSealed is what Caddy gets when it wants a certificate of its own or a place
// to keep one.
var errSealed = errors.New("the edge has certificates from the platform's CA and from Secrets only")

// noPermission denies on-demand issuance for all names. Caddy asks it only after
// our manager had no certificate.
type noPermission struct{ module }

// CertificateAllowed denies.
func (*noPermission) CertificateAllowed(_ context.Context, name string) error {
	// Caddy's word for a denial, which it does not log as an error: anybody can ask
	// for any name.
	return fmt.Errorf("%s is not served here: %w", name, caddytls.ErrPermissionDenied)
}

// noIssuer stands where ACME would be by default.
type noIssuer struct{ module }

// Issue refuses.
func (*noIssuer) Issue(context.Context, *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	return nil, errSealed
}

// IssuerKey names the issuer.
func (*noIssuer) IssuerKey() string { return "none" }

// noStorage is empty and stays so: Caddy's default would write below the home
// folder.
type noStorage struct{ module }

// CertMagicStorage returns the storage itself.
func (s *noStorage) CertMagicStorage() (certmagic.Storage, error) { return s, nil }

// Lock does nothing: there is nothing to protect.
func (*noStorage) Lock(context.Context, string) error { return nil }

// Unlock does nothing.
func (*noStorage) Unlock(context.Context, string) error { return nil }

// Store refuses.
func (*noStorage) Store(context.Context, string, []byte) error { return errSealed }

// Load finds nothing.
func (*noStorage) Load(context.Context, string) ([]byte, error) { return nil, fs.ErrNotExist }

// Delete has nothing to delete.
func (*noStorage) Delete(context.Context, string) error { return nil }

// Exists denies.
func (*noStorage) Exists(context.Context, string) bool { return false }

// List finds nothing.
func (*noStorage) List(context.Context, string, bool) ([]string, error) { return nil, fs.ErrNotExist }

// Stat finds nothing.
func (*noStorage) Stat(context.Context, string) (certmagic.KeyInfo, error) {
	return certmagic.KeyInfo{}, fs.ErrNotExist
}
