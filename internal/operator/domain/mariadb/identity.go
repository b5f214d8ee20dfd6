package mariadb

import (
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"errors"
	"net"
	"os"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
)

// subjectLine is Subject as MariaDB compares it. Who signed it is left out: the server
// takes certificates of one authority alone, and one that is replaced by an authority
// of another name must not lock the operator out.
const subjectLine = "/O=Kubepanel/CN=kubepanel-operator"

// Subject is the name in the operator's certificate.
func Subject() pkix.Name {
	return pkix.Name{Organization: []string{"Kubepanel"}, CommonName: "kubepanel-operator"}
}

// Identity is the certificate by which the operator proves to a server who it is.
// Connections keep what they were opened with; the next one shows the one of then.
type Identity struct {
	certificate atomic.Pointer[tls.Certificate]
	shown       atomic.Bool
}

// Take makes c the certificate to show from now on.
func (i *Identity) Take(c *tls.Certificate) { i.certificate.Store(c) }

// present answers a server that asks for a certificate. MariaDB names no authorities
// that it knows, so there is nothing to choose by.
func (i *Identity) present(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	i.shown.Store(true)
	return i.certificate.Load(), nil
}

// wasShown tells whether a server asked. One that never does, such as a proxy, knows
// nothing of what it would be told to require.
func (i *Identity) wasShown() bool { return i != nil && i.shown.Load() }

// ended tells whether a server let us in as far as TLS and then hung up, as it does on
// a certificate that it does not take. With TLS 1.3 that comes when we read the next
// packet, or can't write one any more, and the driver keeps the reason to itself: it is
// every error but those of who is not there, is too slow, or answers.
func ended(err error) bool {
	if there, ok := errors.AsType[*net.OpError](err); ok && there.Op == "dial" {
		return false
	}
	if _, answers := errors.AsType[*mysql.MySQLError](err); answers {
		return false
	}
	return !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}
