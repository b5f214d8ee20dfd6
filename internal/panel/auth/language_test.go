package auth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// reads has the panel shown in a language.
func (b *browser) reads(t *testing.T, language string) {
	t.Helper()
	must(t, b.in(t, func(ctx context.Context) error { return b.site.Reads(ctx, language) }))
}

// Mail that its reader did not ask for is in the language in which they last had the panel, and
// in that of who asked for it until they were there.
func TestMailIsInItsReadersLanguage(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	b := s.customer(t, boss, jo)
	id := b.who(t).ID
	harmful := func() string {
		must(t, s.store.Write(t.Context(), func(tx hosting.Tx) error {
			return tx.InsertMail(t.Context(), &hosting.Mail{ID: hosting.NewID(), Kind: hosting.MailHarmful, To: "shop.example", User: id,
				CreatedAt: s.now(), NextAt: s.now(), ExpiresAt: s.now().Add(time.Hour)})
		}))
		return s.language(t)
	}
	invited := func() string {
		must(t, boss.in(t, func(ctx context.Context) error {
			actor, _ := auth.ActorOf(ctx)
			return s.MailInvitation(ctx, actor, id, "de")
		}))
		return s.language(t)
	}
	if here, asked := harmful(), invited(); here != "en" || asked != "de" {
		t.Errorf("before anybody was there a mail that nobody asked for is in %q, one that was asked for in German in %q", here, asked)
	}

	s.browser(t).reads(t, "de") // nobody
	b.reads(t, "ar")
	must(t, boss.in(t, func(ctx context.Context) error { return s.ActAs(ctx, id) }))
	boss.reads(t, "de") // support, for whom it says nothing of the account
	must(t, boss.in(t, s.ActAsEnd))
	if here, asked := harmful(), invited(); here != "ar" || asked != "ar" {
		t.Errorf("mails to a reader of Arabic are in %q and %q", here, asked)
	}
	must(t, s.browser(t).in(t, func(ctx context.Context) error { return s.ForgotPassword(ctx, jo, "de") }))
	if got := s.language(t); got != "de" {
		t.Errorf("a link that was asked for in German is in %q", got)
	}

	again := s.browser(t)
	again.stage(t, jo, password)
	again.reads(t, "de")
	before := s.count()
	b.reads(t, "ar") // as it was noted of this session
	if cost := s.count() - before; cost > 4 {
		t.Errorf("a page in the same language costs %d statements, want the session's alone", cost)
	}
	if got := harmful(); got != "de" {
		t.Errorf("after another sign-in, in German, mail is in %q", got)
	}
}

// language is that of the next mail, for which a panel that begins looks at once.
func (s *site) language(t *testing.T) string {
	t.Helper()
	defer s.deliver(t, s.Auth)()
	_, after, found := strings.Cut(s.mail.Next(t).Text, "Content-Language: ")
	if !found {
		t.Fatal("the mail does not say its language")
	}
	language, _, _ := strings.Cut(after, "\r\n")
	return language
}
