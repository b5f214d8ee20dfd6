package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"

	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// patience bounds handing in one mail.
const patience = 20 * time.Second

// Mailer hands letters to an SMTP server.
type Mailer struct {
	folder, brand, host string
	languages           locale.Set
}

// New reads the settings in a folder: the files url and from, and ca.crt where the
// server's certificate is not of a known authority. Brand is what the panel goes by, host
// where it is.
func New(folder, brand, host string) (*Mailer, error) {
	if _, err := read(folder); err != nil {
		return nil, err
	}
	languages, err := locale.Load()
	if err != nil {
		return nil, err
	}
	return &Mailer{folder: folder, brand: brand, host: host, languages: languages}, nil
}

// Refused is an error that trying again does not mend.
type Refused struct{ err error }

// Error implements error.
func (r *Refused) Error() string { return r.err.Error() }

// Unwrap returns what the server said.
func (r *Refused) Unwrap() error { return r.err }

// Send hands in one letter and returns when the server has taken it. The error is
// Refused when the server will never take it.
func (m *Mailer) Send(ctx context.Context, l Letter) error {
	s, err := read(m.folder)
	if err != nil {
		return err
	}
	message, err := m.message(ctx, s, l)
	if err != nil {
		return &Refused{err}
	}
	client, err := s.client()
	if err != nil {
		return fmt.Errorf("prepare to send mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("reach the mail server %s: %w", s.host, err)
	}
	defer client.CloseWithSMTPClient(connection) //nolint:errcheck // what the server took it keeps, however the goodbye went
	if err := client.SendWithSMTPClient(connection, message); err != nil {
		err = fmt.Errorf("hand mail in at %s: %w", s.host, err)
		answer, ok := errors.AsType[*gomail.SendError](err)
		if ok && answer.Reason == gomail.ErrSMTPRcptTo && answer.ErrorCode() >= 500 { // RFC 5321 section 4.2.1
			return &Refused{err}
		}
		return err
	}
	return nil
}

// message writes a letter as a mail.
func (m *Mailer) message(ctx context.Context, s *server, l Letter) (*gomail.Msg, error) {
	in := m.languages.Find(l.Language)
	if in == nil {
		in = m.languages[0]
	}
	p := compose(l, in, m.brand, m.host)
	var asPage bytes.Buffer
	if err := rich(p).Render(ctx, &asPage); err != nil {
		return nil, fmt.Errorf("write a letter: %w", err)
	}
	message := gomail.NewMsg()
	if err := message.FromFormat(s.from.Name, s.from.Address); err != nil {
		return nil, fmt.Errorf("write who mail is from: %w", err)
	}
	if err := message.AddToFormat(l.Name, l.To); err != nil {
		return nil, fmt.Errorf("write who mail is for: %w", err)
	}
	message.Subject(p.Subject)
	message.SetDate()
	message.SetMessageID()
	message.SetGenHeader(gomail.HeaderContentLang, p.Tag)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 section 5: no holiday notes
	message.SetBodyString(gomail.TypeTextPlain, plain(p))
	message.AddAlternativeString(gomail.TypeTextHTML, asPage.String())
	return message, nil
}

func (s *server) client() (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithPort(s.port), gomail.WithTimeout(patience), gomail.WithTLSConfig(s.secrecy()), gomail.WithTLSPolicy(gomail.TLSMandatory)}
	switch {
	case s.implicit:
		options = append(options, gomail.WithSSL())
	case s.plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.username != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.username), gomail.WithPassword(s.password))
	}
	return gomail.NewClient(s.host, options...)
}
