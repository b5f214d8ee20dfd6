package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/authority"
)

// innerTimeout bounds connecting to another program of the platform, TLS included.
const innerTimeout = 10 * time.Second

// lookEvery is how often the files of the certificate are read anew, at most. The kubelet
// takes longer to bring them.
const lookEvery = 5 * time.Second

// innerOptions say how the panel speaks with the platform's other programs.
type innerOptions struct{ listen, folder string }

func (o *innerOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.listen, "tls-listen", ":8443", "`address` for HTTPS, behind the edge, where there is a certificate")
	flags.StringVar(&o.folder, "certificate", "", "`folder` with the files tls.crt, tls.key and ca.crt, which may change at any time: the panel's certificate and the authority of the platform's programs; empty: there is no HTTPS")
}

// open returns the certificate; nil when there shall be none.
func (o *innerOptions) open(log *slog.Logger) *certificate {
	if o.folder == "" {
		return nil
	}
	return &certificate{folder: o.folder, log: log, now: time.Now}
}

// certificate is one of the panel's, in files that the operator makes and renews: what it
// shows itself by, or signs in by. The panel starts without them and takes them when they
// come; of what can't be read it keeps the last that could.
type certificate struct {
	folder string
	// lacking says that there may be the authority alone, and no certificate to show.
	lacking bool
	log     *slog.Logger
	now     func() time.Time

	mu     sync.Mutex
	looked time.Time
	pair   *tls.Certificate
	trust  authority.Trust
	told   string // the trouble that the log has
}

// errNoCertificate says that there was none to be read yet.
var errNoCertificate = errors.New("there is no certificate that can be read")

// current reads what is due to be read, and returns the certificate of now.
func (c *certificate) current() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.pair == nil || now.Sub(c.looked) >= lookEvery {
		c.looked = now
		c.tell(c.read(now))
	}
	if c.pair == nil && (!c.lacking || c.trust.Pool(now) == nil) {
		return nil, errNoCertificate
	}
	return c.pair, nil
}

// read reads the files. While they change they may not fit each other.
func (c *certificate) read(now time.Time) error {
	pair, err := tls.LoadX509KeyPair(filepath.Join(c.folder, "tls.crt"), filepath.Join(c.folder, "tls.key"))
	none := c.lacking && errors.Is(err, fs.ErrNotExist)
	if err != nil && !none {
		return err
	}
	roots, err := os.ReadFile(filepath.Join(c.folder, platform.KeyAuthority))
	if err != nil {
		return err
	}
	if err := c.trust.Set(now, roots); err != nil {
		return err
	}
	if c.pair = nil; !none {
		c.pair = &pair
	}
	return nil
}

// tell says once what is wrong, and when it no longer is.
func (c *certificate) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == c.told {
		return
	}
	c.told = text
	if err != nil {
		c.log.Warn("read the panel's certificate", "folder", c.folder, "err", err)
		return
	}
	c.log.Info("the panel's certificate can be read again", "folder", c.folder)
}

// server is how the panel shows itself.
func (c *certificate) server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current() },
	}
}

// client is how the panel shows itself to a server, and whom it takes for that server.
func (c *certificate) client() (*tls.Config, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		RootCAs: roots, MinVersion: tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := c.current()
			if pair == nil {
				pair = &tls.Certificate{} // none is shown
			}
			return pair, err
		},
	}, nil
}

// roots are whom the panel trusts for the platform's other programs.
func (c *certificate) roots() (*x509.CertPool, error) {
	if _, err := c.current(); err != nil {
		return nil, fmt.Errorf("read the platform's authority: %w", err)
	}
	return c.trust.Pool(c.now()), nil
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
			roots, err := c.roots()
			if err != nil {
				return nil, err
			}
			dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: innerTimeout}, Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
			ctx, cancel := context.WithTimeout(ctx, innerTimeout)
			defer cancel()
			return dialer.DialContext(ctx, network, address)
		},
	}, nil
}
