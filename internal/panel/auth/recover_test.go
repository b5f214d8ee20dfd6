package auth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

const another = "another horse battery staple"

// colleague is a second administrator, in a browser that is signed in.
func (b *browser) colleague(t *testing.T, email string) (*browser, hosting.ID) {
	t.Helper()
	var link string
	var id hosting.ID
	must(t, b.in(t, func(ctx context.Context) error {
		actor, _ := auth.ActorOf(ctx)
		u, err := b.site.Provider.CreateUser(ctx, actor, hosting.NewUser{Email: email, Name: "Ann", Role: hosting.Administrator})
		must(t, err)
		id = u.ID
		link, err = b.site.InviteLink(ctx, actor, u.ID)
		return err
	}))
	other := b.site.browser(t)
	must(t, other.in(t, func(ctx context.Context) error { return b.site.SetPassword(ctx, link, password, "en") }))
	_, err := other.signIn(t, email, password)
	must(t, err)
	return other, id
}

// resets has whoever sits at b take somebody's second factors away.
func (b *browser) resets(t *testing.T, id hosting.ID, own string) error {
	t.Helper()
	return b.in(t, func(ctx context.Context) error {
		actor, _ := auth.ActorOf(ctx)
		return b.site.ResetFactors(ctx, actor, id, own, "de")
	})
}

func (b *browser) stage(t *testing.T, email, password string) auth.Stage {
	t.Helper()
	stage, err := b.signIn(t, email, password)
	must(t, err)
	return stage
}

// Who has lost all of it comes back by an administrator, who shows the own password, and
// sets up a new one before anything else: in every role, since a second factor that nobody
// made them have is no less worth.
func TestLostFactorsAreTakenAwayByAnAdministrator(t *testing.T) {
	s := newSite(t)
	s.deliver(t, s.Auth)
	boss := s.administrator(t)
	ann, id := boss.colleague(t, "ann@provider.example")
	wantCode(t, "ResetFactors(of who has none)", boss.resets(t, id, password), hosting.Conflict)
	seed, recovery := ann.enrolTOTP(t)
	k := ann.addPasskey(t)
	s.mail.Next(t) // which tell of both
	s.mail.Next(t)

	wantCode(t, "ResetFactors(wrong password)", boss.resets(t, id, "wrong"), hosting.Invalid)
	wantCode(t, "ResetFactors(no password)", boss.resets(t, id, ""), hosting.Invalid)
	wantCode(t, "ResetFactors(by nobody)", s.browser(t).resets(t, id, password), hosting.NotFound)
	wantCode(t, "ResetFactors(one's own)", ann.resets(t, id, password), hosting.Forbidden)
	if ann.who(t) == nil || s.browser(t).stage(t, "ann@provider.example", password) != auth.SecondFactor {
		t.Fatal("what was refused changed something")
	}

	must(t, boss.resets(t, id, password))
	if ann.who(t) != nil {
		t.Error("a session goes on whose second factor was taken away")
	}
	if m := s.mail.Next(t); m.To != "ann@provider.example" || !strings.Contains(m.Text, "Subject: Ihr zweiter Faktor") || strings.Contains(m.Text, "/password#") {
		t.Errorf("the mail = %s: %s", m.To, m.Text)
	}
	if _, err := s.browser(t).passkey(t, k); err == nil {
		t.Error("the passkey that was taken away signs in")
	}
	b := s.browser(t)
	if stage := b.stage(t, "ann@provider.example", password); stage != auth.MustEnrol {
		t.Fatalf("SignIn = %s, want %s, although no role must have one", stage, auth.MustEnrol)
	}
	for _, code := range []string{s.code(t, seed), recovery[0]} {
		wantCode(t, "SecondFactor(of before)", b.second(t, code), hosting.SignIn)
	}
	b.enrolTOTP(t)
	if b.who(t) == nil {
		t.Error("nobody is signed in after setting up a new one")
	}
	if stage := s.browser(t).stage(t, "ann@provider.example", password); stage != auth.SecondFactor {
		t.Errorf("SignIn with a new factor = %s, want %s", stage, auth.SecondFactor)
	}
	must(t, b.in(t, s.RemoveTOTP)) // as before, nobody makes this role have one
	if stage := s.browser(t).stage(t, "ann@provider.example", password); stage != auth.Done {
		t.Errorf("SignIn after turning it off = %s, want %s", stage, auth.Done)
	}
	s.trail(t, "user.factors", "ann@provider.example", "Boss")
}

// A passkey ends what has to be set up as an app does.
func TestAPasskeyIsANewFactorToo(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	ann, id := boss.colleague(t, "ann@provider.example")
	ann.enrolTOTP(t)
	must(t, boss.resets(t, id, password))
	b := s.browser(t)
	b.stage(t, "ann@provider.example", password)
	k := b.addPasskey(t)
	if b.who(t) == nil {
		t.Error("nobody is signed in after adding a passkey")
	}
	if _, err := s.browser(t).passkey(t, k); err != nil {
		t.Errorf("the new passkey: %v", err)
	}
}

// Tries of the own password are counted with all others, so this is no way to guess it.
func TestOwnPasswordCantBeGuessedByResets(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	ann, id := boss.colleague(t, "ann@provider.example")
	ann.enrolTOTP(t)
	var err error
	for range 11 {
		err = boss.resets(t, id, "wrong")
	}
	wantCode(t, "ResetFactors(ever again)", err, hosting.Limited)
	wantCode(t, "ResetFactors(then right)", boss.resets(t, id, password), hosting.Limited)
}

// The last administrator has nobody to ask: whoever has the database makes a link. It
// counts once, ends, and changes nothing until it is followed.
func TestTheLastAdministratorComesBackByALink(t *testing.T) {
	s := newSite(t, func(o *auth.Options) { o.SecondFactorFor = []hosting.Role{hosting.Administrator} })
	s.deliver(t, s.Auth)
	boss := s.administrator(t)
	boss.enrolTOTP(t)
	s.mail.Next(t) // which tells of it
	const email = "boss@provider.example"
	_, err := s.RecoveryLink(t.Context(), "nobody@provider.example")
	wantCode(t, "RecoveryLink(of nobody)", err, hosting.NotFound)
	stale, err := s.RecoveryLink(t.Context(), email)
	must(t, err)
	token, err := s.RecoveryLink(t.Context(), " Boss@Provider.example ")
	must(t, err)
	set := func(token, to string) error {
		return s.browser(t).in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, to, "en") })
	}
	wantCode(t, "SetPassword(a replaced link)", set(stale, another), hosting.SignIn)
	wantCode(t, "SetPassword(weak)", set(token, email), hosting.Invalid)
	if boss.who(t) == nil || s.browser(t).stage(t, email, password) != auth.SecondFactor {
		t.Fatal("a link that nobody followed changed something")
	}
	must(t, set(token, another))
	if boss.who(t) != nil {
		t.Error("a session of before goes on")
	}
	for _, says := range []string{"second factor", "How you sign in"} { // in the order of what was done
		if m := s.mail.Next(t); m.To != email || !strings.Contains(m.Text, says) {
			t.Errorf("the mail = %s: %s, want %q", m.To, m.Text, says)
		}
	}
	wantCode(t, "SetPassword(again)", set(token, another), hosting.SignIn)
	b := s.browser(t)
	if stage := b.stage(t, email, another); stage != auth.MustEnrol {
		t.Fatalf("SignIn = %s, want %s", stage, auth.MustEnrol)
	}
	b.enrolTOTP(t)
	if b.who(t) == nil {
		t.Error("nobody is signed in after setting up a new one")
	}
	s.trail(t, "recover.made", email, "panel link")
	s.trail(t, "factors.taken", email, "Boss")

	late, err := s.RecoveryLink(t.Context(), email)
	must(t, err)
	s.pass(61 * time.Minute)
	wantCode(t, "SetPassword(an hour later)", set(late, password), hosting.SignIn)
}

// trail wants a line of who did what to whom.
func (s *site) trail(t *testing.T, did, object, by string) {
	t.Helper()
	found, err := s.store.Trail(t.Context(), hosting.AuditQuery{Did: did, Limit: 10})
	must(t, err)
	if len(found) == 0 || found[0].Object != object || found[0].ActorName != by {
		t.Errorf("the trail has %+v of %s, want one about %s by %s", found, did, object, by)
	}
}
