package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/authority"
)

// innerTimeout bounds connecting to another program of the platform, TLS included.
const innerTimeout = 10 * time.Second

// innerOptions say how the panel speaks with the platform's other programs.
type innerOptions struct{ listen, folder string }

func (o *innerOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.listen, "tls-listen", ":8443", "`address` for HTTPS, behind the edge, where there is a certificate")
	flags.StringVar(&o.folder, "certificate", "", "`folder` with the files tls.crt, tls.key and ca.crt, which may change at any time: the panel's certificate and the authority of the platform's programs; empty: there is no HTTPS, and there are no metrics")
}

// open returns the certificate; nil when there shall be none.
func (o *innerOptions) open(log *slog.Logger) *certificate {
	if o.folder == "" {
		return nil
	}
	return &certificate{authority.Files{Folder: o.folder, Log: log, Now: time.Now}}
}

// certificate is one of the panel's, in files that the operator makes and renews: what it
// shows itself by, or signs in by.
type certificate struct{ authority.Files }

// server is how the panel shows itself to the edge.
func (c *certificate) server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			own, _, err := c.Show(hello.Context())
			return own, err
		},
	}
}

// client is how the panel shows itself to a server, and whom it takes for that server.
func (c *certificate) client(ctx context.Context) (*tls.Config, error) {
	_, roots, err := c.Show(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the server's authority: %w", err)
	}
	return &tls.Config{
		RootCAs: roots, MinVersion: tls.VersionTLS13,
		GetClientCertificate: func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			own, _, err := c.Show(asked.Context())
			if own == nil {
				own = &tls.Certificate{} // none is shown
			}
			return own, err
		},
	}, nil
}

// transport speaks with the platform's other programs, which have to be whom the request
// names.
func (c *certificate) transport() (http.RoundTripper, error) {
	if c == nil {
		return nil, errors.New("--certificate names no folder with its authority")
	}
	return &http.Transport{
		IdleConnTimeout: idleTimeout,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, roots, err := c.Show(ctx)
			if err != nil {
				return nil, fmt.Errorf("read the platform's authority: %w", err)
			}
			dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: innerTimeout}, Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
			ctx, cancel := context.WithTimeout(ctx, innerTimeout)
			defer cancel()
			return dialer.DialContext(ctx, network, address)
		},
	}, nil
}
