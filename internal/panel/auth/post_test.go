package auth_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/mail/mailtest"
)

// tokenOf reads the secret of a mail's link.
func tokenOf(t *testing.T, m mailtest.Mail) string {
	t.Helper()
	text := strings.ReplaceAll(strings.ReplaceAll(m.Text, "=\r\n", ""), "=3D", "=")
	found := regexp.MustCompile(`/password#([\w-]+)`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("the mail has no link: %s", text)
	}
	return found[1]
}

func (b *browser) forgot(t *testing.T, email string) error {
	t.Helper()
	return b.in(t, func(ctx context.Context) error { return b.site.ForgotPassword(ctx, email, "en") })
}

func TestForgottenPasswordIsSetByMail(t *testing.T) {
	s := newSite(t)
	s.administrator(t)
	s.deliver(t, s.Auth)
	b := s.browser(t)
	must(t, b.forgot(t, "nobody@provider.example"))
	must(t, b.forgot(t, " Boss@Provider.example "))
	m := s.mail.Next(t)
	if m.To != "boss@provider.example" || !m.Encrypted {
		t.Errorf("the mail went to %s, encrypted %t", m.To, m.Encrypted)
	}
	token := tokenOf(t, m)
	set := func(p string) error {
		return b.in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, p, "en") })
	}
	wantCode(t, "SetPassword(weak)", set("boss@provider.example"), hosting.Invalid)
	must(t, set("another horse battery staple"))
	wantCode(t, "SetPassword(used link)", set("another horse battery staple"), hosting.SignIn)
	_, err := b.signIn(t, "boss@provider.example", password)
	wantCode(t, "SignIn(old password)", err, hosting.SignIn)
	_, err = b.signIn(t, "boss@provider.example", "another horse battery staple")
	must(t, err)
	if m := s.mail.Next(t); m.To != "boss@provider.example" || !strings.Contains(m.Text, "How you sign in") {
		t.Errorf("the mail = %s: %s, want that there is another password", m.To, m.Text)
	}
	if n := s.mail.Waiting(); n != 0 {
		t.Errorf("%d mails more, the address without an account got one", n)
	}
}

func TestLinkOfAResetEnds(t *testing.T) {
	s := newSite(t)
	s.administrator(t)
	s.deliver(t, s.Auth)
	b := s.browser(t)
	must(t, b.forgot(t, "boss@provider.example"))
	token := tokenOf(t, s.mail.Next(t))
	s.pass(61 * time.Minute)
	wantCode(t, "SetPassword(an hour later)", b.in(t, func(ctx context.Context) error {
		return s.SetPassword(ctx, token, "another horse battery staple", "en")
	}), hosting.SignIn)
}

// What a request for a reset asks of the database, so of time, is the same whoever is asked for.
func TestForgottenPasswordTellsNobodyWhichAccountsThereAre(t *testing.T) {
	s := newSite(t)
	s.administrator(t)
	b := s.browser(t)
	cost := func(email string) int {
		before := s.count()
		must(t, b.forgot(t, email))
		return s.count() - before
	}
	cost("first@provider.example") // statements are prepared
	if known, unknown := cost("boss@provider.example"), cost("nobody@provider.example"); known != unknown || known == 0 {
		t.Errorf("a known address costs %d statements, an unknown one %d", known, unknown)
	}
	must(t, b.forgot(t, "boss@provider.example"))
	must(t, b.forgot(t, "boss@provider.example"))
	wantCode(t, "the fourth request for an address", b.forgot(t, "boss@provider.example"), hosting.Limited)
	wantCode(t, "no address", b.forgot(t, "boss"), hosting.Invalid)
}

// The panel ends, and another one finds the mail and sends it, once.
func TestMailSurvivesARestart(t *testing.T) {
	s := newSite(t)
	s.administrator(t)
	must(t, s.browser(t).forgot(t, "boss@provider.example"))
	var panels []*auth.Auth
	for range 3 {
		p, err := auth.New(s.options)
		must(t, err)
		panels = append(panels, p)
	}
	for _, p := range panels {
		s.deliver(t, p)
	}
	s.mail.Next(t)
	s.settled(t)
	if n := s.mail.Waiting(); n != 0 {
		t.Errorf("%d mails more than the one that was asked for", n)
	}
}

// settled waits until no mail is left to be sent.
func (s *site) settled(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		_, err := s.store.DueMail(t.Context(), s.now().Add(30*24*time.Hour))
		if hosting.CodeOf(err) == hosting.NotFound && err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("mail is left after a minute: %v", err)
		}
	}
}

func TestMailIsTriedAgainUntilTheServerTakesIt(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	s.mail.Refuse(&smtp.SMTPError{Code: 451, Message: "later"})
	b := s.browser(t)
	must(t, b.forgot(t, "boss@provider.example"))
	stop := s.deliver(t, s.Auth)
	waits := func() time.Duration {
		m, err := s.store.DueMail(t.Context(), s.now().Add(time.Hour))
		must(t, err)
		return m.NextAt.Sub(s.now())
	}
	s.until(t, "the first try", func() bool { w := waits(); return w > 0 && w <= 30*time.Second })
	stop()
	s.mail.Refuse(nil)
	s.pass(time.Minute)
	s.deliver(t, s.Auth)
	s.mail.Next(t)
	s.settled(t)
	must(t, boss.in(t, func(ctx context.Context) error {
		actor, _ := auth.ActorOf(ctx)
		trail, err := s.Provider.Trail(ctx, actor, hosting.AuditQuery{Did: "reset.asked"})
		must(t, err)
		if len(trail.Items) != 1 || trail.Items[0].Address != "127.0.0.1" {
			t.Errorf("Trail = %+v, want one request and where it came from", trail.Items)
		}
		return nil
	}))
}

func (s *site) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s within a minute", what)
		}
	}
}

func TestInvitationsGoByMail(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	jo := s.customer(t, boss, "jo@shop.example")
	who := *jo.who(t)
	u, err := s.Provider.Invite(t.Context(), who, hosting.Invitation{Email: "dev@agency.example", Name: "Dev", Customer: who.ID, Rights: []hosting.Right{hosting.RightSiteFiles}})
	must(t, err)
	s.deliver(t, s.Auth)
	invite := func(by *browser) error {
		return by.in(t, func(ctx context.Context) error {
			actor, _ := auth.ActorOf(ctx)
			return s.MailInvitation(ctx, actor, u.ID, "de")
		})
	}
	eve := s.customer(t, boss, "eve@evil.example")
	if err := invite(eve); err == nil {
		t.Error("another's collaborator was invited")
	}
	must(t, invite(jo))
	m := s.mail.Next(t)
	if m.To != "dev@agency.example" {
		t.Errorf("the invitation went to %s", m.To)
	}
	dev := s.browser(t)
	token := tokenOf(t, m)
	must(t, dev.in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, password, "en") }))
	if stage, err := dev.signIn(t, "dev@agency.example", password); err != nil || stage != auth.Done {
		t.Errorf("SignIn with the invitation's password = %s, %v", stage, err)
	}
	// Who has a password is told, and gets no link that would replace it.
	must(t, invite(jo))
	if m := s.mail.Next(t); strings.Contains(m.Text, "/password#") || !strings.Contains(m.Text, "/sign-in") {
		t.Errorf("the second invitation = %s, want the way to sign in", m.Text)
	}
	s.mail.Refuse(&smtp.SMTPError{Code: 550, Message: "nobody here"})
	must(t, invite(jo))
	s.settled(t)
	must(t, boss.in(t, func(ctx context.Context) error {
		actor, _ := auth.ActorOf(ctx)
		trail, err := s.Provider.Trail(ctx, actor, hosting.AuditQuery{Did: "mail.refused"})
		must(t, err)
		if len(trail.Items) != 1 || trail.Items[0].Object != "dev@agency.example" {
			t.Errorf("Trail = %+v, want that the mail was refused", trail.Items)
		}
		return nil
	}))
}

func TestWithoutAMailServerNobodyIsPromisedMail(t *testing.T) {
	s := newSite(t, func(o *auth.Options) { o.Mailer = nil })
	s.administrator(t)
	err := s.browser(t).forgot(t, "boss@provider.example")
	wantCode(t, "ForgotPassword without a mail server", err, hosting.NotInstalled)
	if e, ok := errors.AsType[*hosting.Error](err); !ok || e.Mend == "" || s.Mails() {
		t.Errorf("ForgotPassword = %v, want what to do instead", err)
	}
}
