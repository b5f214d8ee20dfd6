package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The files of a folder of settings: a mounted Secret.
const (
	fileURL  = "url"
	fileFrom = "from"
	fileCA   = "ca.crt"
)

// Ports that mail is handed in at (RFC 8314 section 3.3, RFC 5321).
const (
	portStartTLS = 587
	portTLS      = 465
)

// server is where mail is handed in.
type server struct {
	host               string
	port               int
	username, password string
	implicit           bool // TLS from the first byte; otherwise STARTTLS
	plain              bool // no TLS at all: to a relay on the same machine or network
	roots              *x509.CertPool
	from               *mail.Address
}

// read reads the settings; they are read for each mail, so that another password
// counts at once.
func read(folder string) (*server, error) {
	address, err := os.ReadFile(filepath.Join(folder, fileURL))
	if err != nil {
		return nil, fmt.Errorf("read where mail is handed in: %w", err)
	}
	s, err := parse(strings.TrimSpace(string(address)))
	if err != nil {
		return nil, err
	}
	from, err := os.ReadFile(filepath.Join(folder, fileFrom))
	if err != nil {
		return nil, fmt.Errorf("read who mail is from: %w", err)
	}
	if s.from, err = mail.ParseAddress(strings.TrimSpace(string(from))); err != nil {
		return nil, fmt.Errorf("the mail's sender %q is no address; write it like Panel <panel@example.com>", strings.TrimSpace(string(from)))
	}
	ca, err := os.ReadFile(filepath.Join(folder, fileCA))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil // the system's authorities
	}
	if err != nil {
		return nil, fmt.Errorf("read whom mail servers are certified by: %w", err)
	}
	s.roots = x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("the file %s of the mail's settings has no certificate in it; put PEM there", fileCA)
	}
	return s, nil
}

// parse reads smtp://user:password@host:587, which must offer STARTTLS, or
// smtps://…:465. The query tls=off allows none, without a password. What it returns never
// has the password in an error.
func parse(address string) (*server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, errors.New("the mail server's address can't be read; write it like smtp://user:password@mail.example.com:587 or smtps://…:465")
	}
	s := &server{host: u.Hostname(), implicit: u.Scheme == "smtps", port: portStartTLS}
	if s.implicit {
		s.port = portTLS
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return nil, fmt.Errorf("the mail server's port %q is none; write one from 1 to 65535", p)
		}
	}
	s.username = u.User.Username()
	s.password, _ = u.User.Password()
	switch off := u.Query().Get("tls"); {
	case off == "":
	case off != "off" || s.implicit:
		return nil, errors.New("the mail server's address says tls=" + off + "; leave it out, or write smtp://… with tls=off")
	case s.username != "":
		return nil, errors.New("a password for the mail server would cross the network in clear; leave out tls=off, or the password")
	default:
		s.plain = true
	}
	return s, nil
}

// secrecy is how the server has to prove that it is the one.
func (s *server) secrecy() *tls.Config {
	return &tls.Config{ServerName: s.host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// String tells all but the password.
func (s *server) String() string {
	return fmt.Sprintf("%s %d %t %t %s", s.host, s.port, s.implicit, s.plain, s.username)
}
