// Package mailtest is an SMTP server for tests, with TLS and a password. It must never be
// imported by what is no test.
package mailtest

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// The account that the server takes mail from.
const (
	Username = "panel"
	Password = "mail-password"
)

// Mail is one that the server took.
type Mail struct {
	From, To, Text string
	Encrypted      bool
}

// Server is a running one.
type Server struct {
	// Address is host:port.
	Address string
	// Folder has the settings that mail.New reads.
	Folder string

	taken chan Mail
	mu    sync.Mutex
	// refusal is what each recipient is answered while it is set.
	refusal error
}

// room is how many mails the server keeps that no test asked for yet.
const room = 100

// Start starts one that speaks STARTTLS, or TLS from the first byte. It stops with the test.
func Start(t *testing.T, implicit bool) *Server {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil) // for its certificate of 127.0.0.1
	certified.StartTLS()
	t.Cleanup(certified.Close)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	s := &Server{Address: listener.Addr().String(), Folder: t.TempDir(), taken: make(chan Mail, room)}
	server := smtp.NewServer(s)
	server.Domain, server.TLSConfig = "mail.test", &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	scheme := "smtp"
	if implicit {
		scheme, listener = "smtps", tls.NewListener(listener, server.TLSConfig)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		must(t, server.Close())
		if err := <-ended; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Errorf("the mail server ended with %v", err)
		}
	})
	s.Set(t, "url", fmt.Sprintf("%s://%s:%s@%s\n", scheme, Username, Password, s.Address))
	s.Set(t, "from", "Panel <panel@provider.example>\n")
	s.Set(t, "ca.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})))
	return s
}

// Set writes one of the settings.
func (s *Server) Set(t *testing.T, file, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(s.Folder, file), []byte(text), 0o600))
}

// Refuse answers every recipient with an error; nil takes mail again.
func (s *Server) Refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = err
}

// Next waits for the next mail.
func (s *Server) Next(t *testing.T) Mail {
	t.Helper()
	select {
	case m := <-s.taken:
		return m
	case <-time.After(time.Minute):
		t.Fatal("no mail came within a minute")
	}
	return Mail{}
}

// Waiting is how many mails nobody asked for yet.
func (s *Server) Waiting() int { return len(s.taken) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// NewSession implements smtp.Backend.
func (s *Server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, encrypted := c.TLSConnectionState()
	return &session{server: s, mail: Mail{Encrypted: encrypted}}, nil
}

type session struct {
	server *Server
	known  bool
	mail   Mail
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != Username || password != Password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.known && s.mail.Encrypted {
		return smtp.ErrAuthRequired
	}
	s.mail.From = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.mail.To = to
	return s.server.refusal
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.Text = string(text)
	s.server.taken <- s.mail
	return nil
}

// Reset implements smtp.Session.
func (s *session) Reset() {}

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }
