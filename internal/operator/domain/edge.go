package domain

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// handshakeTimeout is generous for a handshake within one cluster.
const handshakeTimeout = 3 * time.Second

// ErrCertificate says that the edge answers, but not with a certificate that a
// visitor's browser would accept.
var ErrCertificate = errors.New("the certificate is not good")

// Edge looks at what visitors meet: the certificate for a name.
type Edge struct {
	// Address of the edge's HTTPS port, as seen from the operator.
	Address string
	// Trust is how long a certificate that was seen is believed in.
	Trust time.Duration
	// CA returns the platform's own authority, in PEM. Public ones are trusted too.
	CA func(context.Context) ([]byte, error)

	mu    sync.Mutex
	seen  map[string]time.Time // name → good until
	known *x509.CertPool       // nil until it is read
	// authority is the platform's as it was last told; doubted says that it has
	// changed, so that what an earlier operator found counts no more.
	authority []byte
	doubted   bool
}

// Check shakes hands for a name and returns the certificate that visitors are shown,
// or nil when it did so lately.
func (e *Edge) Check(ctx context.Context, host string) (*x509.Certificate, error) {
	if e.trusted(host) {
		return nil, nil //nolint:nilnil // nothing new
	}
	roots, err := e.roots(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	dialer := tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{
		ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12,
		// Nothing is said that anybody could want to decrypt, so the dearer exchange of
		// keys against quantum computers is left out.
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256},
	}}
	conn, err := dialer.DialContext(ctx, "tcp", e.Address)
	if err != nil {
		e.reread()
		return nil, certificateError(err)
	}
	defer conn.Close() // nothing was sent
	t, ok := conn.(*tls.Conn)
	if !ok {
		return nil, fmt.Errorf("%T is no TLS connection", conn)
	}
	shown := t.ConnectionState().PeerCertificates[0]
	e.trust(host, shown.NotAfter)
	return shown, nil
}

// Believe takes a name's certificate for good unless there is news of it. It is for
// what an earlier operator found: thousands of handshakes at the start of a new one
// would be a load on the edge, and find what is known.
func (e *Edge) Believe(host string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, met := e.seen[host]; !met && !e.doubted {
		e.keep(host, time.Now().Add(e.Trust))
	}
}

// Renewed is told the platform's authority. When it is another than before, the
// next Check of every name is a real one, and Renewed says so.
func (e *Edge) Renewed(authority []byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	first, same := e.authority == nil, bytes.Equal(e.authority, authority)
	e.authority = authority
	if first || same {
		return false
	}
	e.seen, e.known, e.doubted = nil, nil, true
	return true
}

func (e *Edge) trusted(host string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Now().Before(e.seen[host])
}

func (e *Edge) trust(host string, notAfter time.Time) {
	until := time.Now().Add(e.Trust)
	if notAfter.Before(until) {
		until = notAfter
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keep(host, until)
}

func (e *Edge) keep(host string, until time.Time) {
	if e.seen == nil {
		e.seen = map[string]time.Time{}
	}
	e.seen[host] = until
}

// drop forgets a name that is no more.
func (e *Edge) drop(host string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.seen, host)
}

// roots are who may sign a certificate. They are read once: a copy of all public
// authorities for each handshake took longer than the handshake.
func (e *Edge) roots(ctx context.Context) (*x509.CertPool, error) {
	e.mu.Lock()
	known := e.known
	e.mu.Unlock()
	if known != nil {
		return known, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	ca, err := e.CA(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the platform's CA: %w", err)
	}
	pool.AppendCertsFromPEM(ca)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known = pool
	return pool, nil
}

// reread makes the next handshake read the authorities anew. One that an
// administrator keeps without our label changes without news of it.
func (e *Edge) reread() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known = nil
}

// badCertificate is an ErrCertificate in the words of TLS alone.
type badCertificate struct{ error }

func (badCertificate) Is(target error) bool { return target == ErrCertificate }

func (b badCertificate) Unwrap() error { return b.error }

// certificateError tells a bad certificate from an edge that does not answer.
func certificateError(err error) error {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return badCertificate{err}
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return badCertificate{err}
	}
	return fmt.Errorf("reach the edge: %w", err)
}
