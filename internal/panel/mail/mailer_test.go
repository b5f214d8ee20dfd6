package mail_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	panelmail "kubepanel.io/kubepanel/internal/panel/mail"
	"kubepanel.io/kubepanel/internal/panel/mail/mailtest"
)

const link = "https://panel.example/password#abc"

func newMailer(t *testing.T, s *mailtest.Server) *panelmail.Mailer {
	t.Helper()
	m, err := panelmail.New(s.Folder, "Kubepanel", "panel.example")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func letter(kind panelmail.Kind, language string) panelmail.Letter {
	return panelmail.Letter{Kind: kind, To: "jo@shop.example", Name: `Jo "Ö" <b>`, Link: link, Life: 7 * 24 * time.Hour, Language: language}
}

// read takes a mail apart, as a reader's program does.
func read(t *testing.T, text string) (head mail.Header, parts map[string]string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type = %q, %v, want multipart/alternative", kind, err)
	}
	parts = map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, parts
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		parts[kind] = string(body)
	}
}

func TestLettersArriveEncryptedInTheirReadersLanguage(t *testing.T) {
	said := map[string]string{"en": "A new password for panel.example", "de": "Ein neues Passwort für panel.example", "ar": "كلمة مرور جديدة", "xx": "A new password"}
	for _, implicit := range []bool{false, true} {
		s := mailtest.Start(t, implicit)
		m := newMailer(t, s)
		for language, subject := range said {
			if err := m.Send(t.Context(), letter(panelmail.Reset, language)); err != nil {
				t.Fatalf("Send(%s) = %v", language, err)
			}
			got := s.Next(t)
			if !got.Encrypted || got.From != "panel@provider.example" || got.To != "jo@shop.example" {
				t.Errorf("the mail came from %q to %q, encrypted %t", got.From, got.To, got.Encrypted)
			}
			head, parts := read(t, got.Text)
			if title, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject")); err != nil || !strings.HasPrefix(title, subject) {
				t.Errorf("Subject in %s = %q, want %q", language, title, subject)
			}
			if head.Get("Auto-Submitted") != "auto-generated" || head.Get("Message-ID") == "" || head.Get("Date") == "" {
				t.Errorf("header = %v, want that a program sent it, when, and an ID", head)
			}
			for kind, body := range parts {
				if !strings.Contains(body, link) {
					t.Errorf("%s has no link: %s", kind, body)
				}
			}
			if rich := parts["text/html"]; strings.Contains(rich, "<b>") || !strings.Contains(rich, "&lt;b&gt;") || language == "ar" && !strings.Contains(rich, `dir="rtl"`) {
				t.Errorf("HTML in %s = %s, want the name escaped and the text's direction", language, rich)
			}
		}
	}
}

func TestEveryKindOfLetterSaysSomething(t *testing.T) {
	s := mailtest.Start(t, false)
	m := newMailer(t, s)
	for _, kind := range []panelmail.Kind{panelmail.Reset, panelmail.Invite, panelmail.Welcome, panelmail.FactorsGone, panelmail.CodesNew,
		panelmail.PasskeyAdded, panelmail.PasskeyRemoved, panelmail.AppAdded, panelmail.AppRemoved, panelmail.PasswordNew, panelmail.Harmful, panelmail.SignInCode, panelmail.Test} {
		if err := m.Send(t.Context(), letter(kind, "en")); err != nil {
			t.Fatal(err)
		}
		head, parts := read(t, s.Next(t).Text)
		if head.Get("Subject") == "" || len(parts["text/plain"]) < 60 || len(parts["text/html"]) < 60 {
			t.Errorf("%s = %v %q, want a subject and two texts", kind, head, parts)
		}
	}
}

// A server that is not the one, or that can't hide what it is told, learns nothing.
func TestMailIsNotHandedToAnybodyElse(t *testing.T) {
	tests := map[string]func(s *mailtest.Server){
		"another authority":      func(s *mailtest.Server) { s.Set(t, "ca.crt", otherCA) },
		"another name":           func(s *mailtest.Server) { s.Set(t, "url", "smtp://localhost.example:1") },
		"a wrong password":       func(s *mailtest.Server) { s.Set(t, "url", "smtp://panel:wrong@"+s.Address) },
		"TLS from a plain start": func(s *mailtest.Server) { s.Set(t, "url", "smtps://panel:x@"+s.Address) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			s := mailtest.Start(t, false)
			m := newMailer(t, s)
			change(s)
			err := m.Send(t.Context(), letter(panelmail.Reset, "en"))
			if err == nil || s.Waiting() != 0 {
				t.Fatalf("Send = %v with %d mails there, want an error and none", err, s.Waiting())
			}
			if _, final := errors.AsType[*panelmail.Refused](err); final || strings.Contains(err.Error(), mailtest.Password) {
				t.Errorf("Send = %v, want one to be tried again, without a password in it", err)
			}
		})
	}
}

func TestARecipientThatIsRefusedIsNotTriedAgain(t *testing.T) {
	s := mailtest.Start(t, false)
	m := newMailer(t, s)
	for code, final := range map[int]bool{550: true, 451: false} {
		s.Refuse(&smtp.SMTPError{Code: code, Message: "no"})
		err := m.Send(t.Context(), letter(panelmail.Reset, "en"))
		if _, got := errors.AsType[*panelmail.Refused](err); err == nil || got != final {
			t.Errorf("Send to a server that says %d = %v, want final %t", code, err, final)
		}
	}
}
