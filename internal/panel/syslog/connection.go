package syslog

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// tryTimeout bounds sending a batch, from the connection to the server's confirmation;
	// the lease of a batch is longer.
	tryTimeout = 30 * time.Second
	// maxAnswer is what is read of a server, in octets: syslog servers say nothing.
	maxAnswer = 4 << 10
)

// The files of a folder with certificates: a mounted Secret of the type kubernetes.io/tls.
const (
	fileCA          = "ca.crt"
	fileCertificate = "tls.crt"
	fileKey         = "tls.key"
)

var (
	errUnconfirmed = errors.New("the server closed the connection without a close_notify (RFC 5425 section 4.4), so nobody knows what it read")
	errTalks       = errors.New("the server says something, which no syslog server does")
)

// settingsError is about the certificates' files.
type settingsError struct{ err error }

// Error implements error.
func (e *settingsError) Error() string {
	return "read the certificates for the log server: " + e.err.Error()
}

// Unwrap returns what is wrong with them.
func (e *settingsError) Unwrap() error { return e.err }

// secrecy is how both sides have to prove who they are.
func secrecy(folder, host string) (*tls.Config, error) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if folder == "" {
		return config, nil
	}
	ca, err := os.ReadFile(filepath.Join(folder, fileCA))
	switch {
	case errors.Is(err, fs.ErrNotExist): // the system's authorities
	case err != nil:
		return nil, &settingsError{err}
	default:
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, &settingsError{errors.New(fileCA + " has no certificate in it; put PEM there")}
		}
	}
	if _, err := os.Stat(filepath.Join(folder, fileCertificate)); errors.Is(err, fs.ErrNotExist) {
		return config, nil // the server asks for none
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(folder, fileCertificate), filepath.Join(folder, fileKey))
	if err != nil {
		return nil, &settingsError{err}
	}
	config.Certificates = []tls.Certificate{own}
	return config, nil
}

// deliver sends messages and returns nil once the server confirmed that it has read all of
// them. Syslog itself has no such word, so each batch is a connection of its own: when we
// close our side, the server has to answer a close_notify (RFC 5425 section 4.4), which
// it can only behind the last octet. The end of a connection without one counts for
// nothing, since anybody on the way can make that.
func (s *Sender) deliver(ctx context.Context, messages iter.Seq[message]) error {
	ctx, stop := context.WithTimeout(ctx, tryTimeout)
	defer stop()
	host, _, err := net.SplitHostPort(s.Server)
	if err != nil {
		return err
	}
	config, err := secrecy(s.Folder, host)
	if err != nil {
		return err
	}
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Server)
	if err != nil {
		return err
	}
	under := &watched{TCPConn: plain.(*net.TCPConn)} // as it was asked for
	defer plain.Close()                              // what counts was said before
	// Whatever waits for the server waits no more once the time is over, or the panel ends.
	defer context.AfterFunc(ctx, func() { _ = plain.SetDeadline(time.Unix(1, 0)) })()
	conn := tls.Client(under, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return late(ctx, err)
	}
	if err := write(conn, s.Host, messages); err != nil {
		return late(ctx, err)
	}
	return late(ctx, confirmed(conn, under))
}

// late is the error of a connection that was given up, which else says that its deadline
// is over.
func late(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// write writes messages, each behind its length (RFC 5425 section 4.3), and closes our
// side.
func write(conn *tls.Conn, host string, messages iter.Seq[message]) error {
	var frame, text []byte
	for m := range messages {
		text = m.append(text[:0], host)
		frame = append(strconv.AppendInt(frame[:0], int64(len(text)), 10), ' ')
		frame = append(frame, text...)
		if _, err := conn.Write(frame); err != nil {
			return said(conn, err)
		}
	}
	if err := conn.CloseWrite(); err != nil {
		return said(conn, err)
	}
	return nil
}

// said returns the alert that a server sent before it hung up, which tells more than that
// it did. In TLS 1.3 it comes behind the handshake, even when it is about our certificate.
func said(conn *tls.Conn, err error) error {
	if _, alert := conn.Read(make([]byte, 1)); alert != nil && !errors.Is(alert, io.EOF) {
		return alert
	}
	return err
}

// confirmed waits for the server's close_notify, and then for the end of the connection:
// a server that ends itself says close_notify without having read all, and its kernel
// then resets the connection. For crypto/tls the end of a connection is a close_notify
// too, so whether there was an end is looked up below it.
func confirmed(conn *tls.Conn, under *watched) error {
	n, err := io.Copy(io.Discard, io.LimitReader(conn, maxAnswer))
	switch {
	case err != nil:
		return err
	case n == maxAnswer:
		return errTalks
	case under.ended:
		return errUnconfirmed
	}
	if err := under.CloseWrite(); err != nil { // some servers wait for ours
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(under, maxAnswer))
	return err
}

// watched is a connection that remembers whether it ended.
type watched struct {
	*net.TCPConn

	ended bool
}

// Read implements net.Conn.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.TCPConn.Read(b)
	if err != nil {
		w.ended = true
	}
	return n, err
}

// faultOf says in one of hosting's words why a batch was not confirmed.
func faultOf(err error) hosting.SendFault {
	if err == nil {
		return ""
	}
	if _, ok := errors.AsType[*settingsError](err); ok {
		return hosting.FaultSettings
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return hosting.FaultCertificate
	}
	switch {
	case alerted(err):
		return hosting.FaultRefused
	case errors.Is(err, context.DeadlineExceeded):
		return hosting.FaultSlow
	case errors.Is(err, errUnconfirmed), errors.Is(err, errTalks):
		return hosting.FaultUnconfirmed
	}
	return hosting.FaultUnreachable
}

// alerted tells whether the server sent an alert of TLS.
func alerted(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}
