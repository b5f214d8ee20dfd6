package auth_test

import (
	"context"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/panel/auth"
)

// Whoever changes how an account signs in, its owner is told by mail: in their language, with
// when and where from, and with nothing that who did it has written.
func TestChangesOfHowOneSignsInAreTold(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	b := s.customer(t, boss, jo) // whose first password is no change
	b.reads(t, "de")
	s.deliver(t, s.Auth)
	id := b.who(t).ID
	const another = "another horse battery staple"
	steps := []struct {
		did, says string
		do        func()
	}{
		{"an app", "Authenticator-App eingerichtet", func() { b.enrolTOTP(t) }},
		{"a passkey", "Passkey hinzugef", func() { b.addPasskey(t) }},
		{"the app's end", "Authenticator-App Ihres Kontos bei example.com wurde entfernt", func() { must(t, b.in(t, s.RemoveTOTP)) }},
		{"the passkey's end", "Ein Passkey Ihres Kontos bei example.com wurde entfernt", func() {
			must(t, b.in(t, func(ctx context.Context) error {
				keys, err := s.Passkeys(ctx)
				must(t, err)
				return s.RemovePasskey(ctx, keys[0].ID)
			}))
		}},
		{"a password", "anderes Passwort gesetzt", func() {
			must(t, b.in(t, func(ctx context.Context) error { return s.ChangePassword(ctx, password, another) }))
		}},
		{"a password by a link", "Another password was set", func() { // in English, on the page that the link leads to
			token := ""
			must(t, boss.in(t, func(ctx context.Context) (err error) {
				actor, _ := auth.ActorOf(ctx)
				token, err = s.ResetLink(ctx, actor, id)
				return err
			}))
			must(t, s.browser(t).in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, password, "en") }))
		}},
	}
	for _, step := range steps {
		step.do()
		m := s.mail.Next(t)
		text := strings.NewReplacer("=\r\n", "", "=C3=BC", "ü").Replace(m.Text)
		if m.To != jo || !strings.Contains(text, step.says) {
			t.Errorf("of %s %s is told %s, want %q", step.did, m.To, text, step.says)
		}
		if !strings.Contains(text, "127.0.0.1") || !strings.Contains(text, s.now().UTC().Format("2006-01-02 15:")) || strings.Contains(text, "Laptop") {
			t.Errorf("of %s is told %s, want when and where from, and not what the passkey is called", step.did, text)
		}
	}
	must(t, s.browser(t).in(t, func(ctx context.Context) error { // nothing is changed where there is nothing
		_, err := s.SignIn(ctx, jo, password, "en")
		must(t, err)
		return s.RemoveTOTP(ctx)
	}))
	s.settled(t)
	if n := s.mail.Waiting(); n != 0 {
		t.Errorf("%d mails more than changes", n)
	}
}

// Where no mail is sent, nothing waits to be.
func TestWithoutAMailServerChangesAreToldNobody(t *testing.T) {
	s := newSite(t, func(o *auth.Options) { o.Mailer = nil })
	s.administrator(t).enrolTOTP(t)
	if m, err := s.store.DueMail(t.Context(), s.now()); err == nil {
		t.Errorf("DueMail = %+v, want none", m)
	}
}
