package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
)

// enrolTOTP sets an authenticator app up and returns its seed and the recovery codes.
func (b *browser) enrolTOTP(t *testing.T) (string, []string) {
	t.Helper()
	var app auth.TOTP
	must(t, b.in(t, func(ctx context.Context) (err error) { app, err = b.site.BeginTOTP(ctx); return err }))
	var codes []string
	must(t, b.in(t, func(ctx context.Context) (err error) {
		codes, err = b.site.ConfirmTOTP(ctx, b.site.code(t, app.Secret))
		return err
	}))
	return app.Secret, codes
}

func (s *site) code(t *testing.T, seed string) string {
	t.Helper()
	code, err := totp.GenerateCode(seed, s.now())
	must(t, err)
	return code
}

func (b *browser) second(t *testing.T, code string) error {
	t.Helper()
	return b.in(t, func(ctx context.Context) error { return b.site.SecondFactor(ctx, code) })
}

func TestCodesCountOnce(t *testing.T) {
	s := newSite(t)
	seed, recovery := s.administrator(t).enrolTOTP(t)
	s.pass(time.Minute)
	b := s.browser(t)
	if stage, err := b.signIn(t, "boss@provider.example", password); err != nil || stage != auth.SecondFactor {
		t.Fatalf("SignIn = %s, %v, want %s", stage, err, auth.SecondFactor)
	}
	if who := b.who(t); who != nil {
		t.Fatalf("ActorOf before the second factor = %+v, want nobody", who)
	}
	wantCode(t, "BeginTOTP before the second factor", b.in(t, func(ctx context.Context) error { _, err := s.BeginTOTP(ctx); return err }), hosting.SignIn)
	code := s.code(t, seed)
	wantCode(t, "SecondFactor(000000)", b.second(t, "x00000"), hosting.SignIn)
	must(t, b.second(t, code[:3]+" "+code[3:]))
	if b.who(t) == nil {
		t.Fatal("nobody is signed in after the right code")
	}
	b = s.browser(t)
	_, err := b.signIn(t, "boss@provider.example", password)
	must(t, err)
	wantCode(t, "SecondFactor(used code)", b.second(t, code), hosting.SignIn)
	must(t, b.second(t, recovery[3]))
	b = s.browser(t)
	_, err = b.signIn(t, "boss@provider.example", password)
	must(t, err)
	wantCode(t, "SecondFactor(used recovery code)", b.second(t, recovery[3]), hosting.SignIn)
	for range 12 {
		err = b.second(t, "000001")
	}
	wantCode(t, "SecondFactor(ever again)", err, hosting.Limited)
}

func TestRolesMustHaveASecondFactor(t *testing.T) {
	s := newSite(t, func(o *auth.Options) { o.SecondFactorFor = []hosting.Role{hosting.Administrator} })
	b := s.administrator(t)
	if who := b.who(t); who != nil {
		t.Fatalf("ActorOf before enrolling = %+v, want nobody", who)
	}
	wantCode(t, "CreateToken(before enrolling)", b.in(t, func(ctx context.Context) error {
		_, err := s.CreateToken(ctx, auth.NewToken{Name: "way past it", Scopes: []hosting.Right{hosting.RightSiteView}, Life: time.Hour})
		return err
	}), hosting.SignIn)
	b.enrolTOTP(t)
	if b.who(t) == nil {
		t.Fatal("nobody is signed in after enrolling")
	}
	wantCode(t, "RemoveTOTP(the last factor)", b.in(t, s.RemoveTOTP), hosting.Conflict)
}

// A session of before the rule is none any more; its owner signs in anew and enrols.
func TestSessionsWithoutTheFactorThatIsWantedNowEnd(t *testing.T) {
	s := newSite(t)
	b := s.administrator(t)
	proven := s.browser(t)
	_, err := proven.signIn(t, "boss@provider.example", password)
	must(t, err)
	proven.enrolTOTP(t)
	s.SecondFactorFor = []hosting.Role{hosting.Administrator}
	if who := b.who(t); who != nil {
		t.Errorf("ActorOf(a session without a second factor) = %+v, want nobody", who)
	}
	if who := proven.who(t); who == nil {
		t.Error("ActorOf(a session that proved one) = nobody")
	}
}

func TestChangingFactorsNeedsTheSessionToBeFresh(t *testing.T) {
	s := newSite(t)
	b := s.administrator(t)
	s.pass(20 * time.Minute)
	begin := func() error {
		return b.in(t, func(ctx context.Context) error { _, err := s.BeginTOTP(ctx); return err })
	}
	wantCode(t, "BeginTOTP after 20 minutes", begin(), hosting.SignIn)
	wantCode(t, "Confirm(wrong)", b.in(t, func(ctx context.Context) error { return s.Confirm(ctx, "wrong") }), hosting.SignIn)
	must(t, b.in(t, func(ctx context.Context) error { return s.Confirm(ctx, password) }))
	must(t, begin())
}

// key is an authenticator with one passkey.
type key struct {
	rp     virtualwebauthn.RelyingParty
	holder virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
	codes  []string // that came with it
}

func (b *browser) addPasskey(t *testing.T) *key {
	t.Helper()
	at, err := url.Parse(panelURL)
	must(t, err)
	k := &key{rp: virtualwebauthn.RelyingParty{ID: at.Hostname(), Name: "Kubepanel", Origin: panelURL},
		holder: virtualwebauthn.NewAuthenticator(), key: paneltest.NewPasskey()}
	var options []byte
	must(t, b.in(t, func(ctx context.Context) (err error) { options, err = b.site.BeginAddPasskey(ctx); return err }))
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	must(t, err)
	k.holder.Options.UserHandle = []byte(asked.UserID)
	answer := virtualwebauthn.CreateAttestationResponse(k.rp, k.holder, k.key, *asked)
	must(t, b.do(t, answer, func(ctx context.Context, r *http.Request) (err error) {
		k.codes, err = b.site.FinishAddPasskey(ctx, "Laptop", r)
		return err
	}))
	k.holder.AddCredential(k.key)
	return k
}

func (b *browser) passkey(t *testing.T, k *key) (answer string, err error) {
	t.Helper()
	var options []byte
	must(t, b.in(t, func(ctx context.Context) (err error) { options, err = b.site.BeginPasskey(ctx); return err }))
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	must(t, err)
	answer = virtualwebauthn.CreateAssertionResponse(k.rp, k.holder, k.key, *asked)
	return answer, b.answer(t, answer)
}

func (b *browser) answer(t *testing.T, answer string) error {
	t.Helper()
	return b.do(t, answer, func(ctx context.Context, r *http.Request) error { return b.site.FinishPasskey(ctx, r) })
}

func TestPasskeySignsIn(t *testing.T) {
	s := newSite(t, func(o *auth.Options) { o.SecondFactorFor = []hosting.Role{hosting.Administrator} })
	first := s.administrator(t)
	k := first.addPasskey(t)
	if first.who(t) == nil {
		t.Fatal("nobody is signed in after adding a passkey")
	}
	b := s.browser(t)
	used, err := b.passkey(t, k)
	must(t, err)
	if b.who(t) == nil {
		t.Fatal("nobody is signed in after the passkey")
	}
	wantCode(t, "FinishPasskey(used answer)", b.answer(t, used), hosting.SignIn)
	wantCode(t, "FinishPasskey(another's answer)", s.browser(t).answer(t, used), hosting.SignIn)
	foreign := *k
	foreign.rp.Origin = "https://evil.example"
	_, err = s.browser(t).passkey(t, &foreign)
	wantCode(t, "FinishPasskey(another origin)", err, hosting.SignIn)
	unverified := *k
	unverified.holder.Options.UserNotVerified = true
	_, err = s.browser(t).passkey(t, &unverified)
	wantCode(t, "FinishPasskey(its user was not verified)", err, hosting.SignIn)
	wantCode(t, "RemovePasskey(the last factor)", first.in(t, func(ctx context.Context) error {
		keys, err := s.Passkeys(ctx)
		must(t, err)
		return s.RemovePasskey(ctx, keys[0].ID)
	}), hosting.Conflict)
	// With a passkey, the password alone is half of it.
	if stage, err := s.browser(t).signIn(t, "boss@provider.example", password); err != nil || stage != auth.SecondFactor {
		t.Errorf("SignIn = %s, %v, want %s", stage, err, auth.SecondFactor)
	}
}

// A passkey alone brings recovery codes; an app or another passkey beside it takes none away, and the last one's end does.
func TestAPasskeyBringsRecoveryCodes(t *testing.T) {
	s := newSite(t)
	first := s.administrator(t)
	left := func() int {
		var f auth.Factors
		must(t, first.in(t, func(ctx context.Context) (err error) { f, err = s.Factors(ctx); return err }))
		return f.RecoveryCodes
	}
	codes := first.addPasskey(t).codes
	if len(codes) != 10 || left() != 10 {
		t.Fatalf("a first passkey brings %d codes, %d are kept, want 10", len(codes), left())
	}
	if more := first.addPasskey(t).codes; len(more) != 0 {
		t.Errorf("a second passkey brings %d codes, want that the first ones stay", len(more))
	}
	b := s.browser(t)
	if stage, err := b.signIn(t, "boss@provider.example", password); err != nil || stage != auth.SecondFactor {
		t.Fatalf("SignIn = %s, %v, want %s", stage, err, auth.SecondFactor)
	}
	must(t, b.second(t, codes[0]))
	if b.who(t) == nil || left() != 9 {
		t.Errorf("a code signs in: %t, %d left, want 9", b.who(t) != nil, left())
	}
	first.enrolTOTP(t)
	must(t, first.in(t, s.RemoveTOTP))
	if left() != 10 {
		t.Errorf("without the app %d codes are left, want its 10: there are passkeys", left())
	}
	keys, err := s.store.Passkeys(t.Context(), first.who(t).ID)
	must(t, err)
	for i, want := range []int{10, 0} {
		must(t, first.in(t, func(ctx context.Context) error { return s.RemovePasskey(ctx, keys[i].ID) }))
		if left() != want {
			t.Errorf("after removing %d of 2 passkeys %d codes are left, want %d", i+1, left(), want)
		}
	}
	if codes := first.addPasskey(t).codes; len(codes) != 10 {
		t.Errorf("a first passkey again brings %d codes, want 10", len(codes))
	}
}

// dying ends each write that it is told to at its last moment, as a panel that dies does.
type dying struct {
	hosting.Store

	dies bool
}

var errDied = errors.New("the panel died")

func (d *dying) Write(ctx context.Context, do func(tx hosting.Tx) error) error {
	return d.Store.Write(ctx, func(tx hosting.Tx) error {
		if err := do(tx); err != nil || !d.dies {
			return err
		}
		return errDied
	})
}

// newCodes asks for new recovery codes.
func (b *browser) newCodes(t *testing.T) (codes []string, err error) {
	t.Helper()
	err = b.in(t, func(ctx context.Context) (err error) { codes, err = b.site.NewRecoveryCodes(ctx, "de"); return err })
	return codes, err
}

// New codes end the former ones, in one moment: whatever happens in between, one set counts whole.
func TestRecoveryCodesAreMadeAnew(t *testing.T) {
	last := &dying{}
	s := newSite(t, func(o *auth.Options) { last.Store = o.Provider.Store; o.Provider.Store = last })
	s.deliver(t, s.Auth)
	boss := s.administrator(t)
	_, err := boss.newCodes(t)
	wantCode(t, "NewRecoveryCodes(without a second factor)", err, hosting.Conflict)
	_, former := boss.enrolTOTP(t)
	s.mail.Next(t) // which tells of the app
	with := func(code string) error {
		b := s.browser(t)
		if stage := b.stage(t, "boss@provider.example", password); stage != auth.SecondFactor {
			t.Fatalf("SignIn = %s, want %s", stage, auth.SecondFactor)
		}
		return b.second(t, code)
	}

	s.pass(20 * time.Minute)
	_, err = boss.newCodes(t)
	wantCode(t, "NewRecoveryCodes(20 minutes after signing in)", err, hosting.SignIn)
	must(t, boss.in(t, func(ctx context.Context) error { return s.Confirm(ctx, password) }))
	last.dies = true
	if lost, err := boss.newCodes(t); !errors.Is(err, errDied) || lost != nil {
		t.Fatalf("NewRecoveryCodes(of a panel that dies) = %q, %v, want %v", lost, err, errDied)
	}
	last.dies = false
	must(t, with(former[0]))

	fresh, err := boss.newCodes(t)
	must(t, err)
	if len(fresh) != 10 || slices.ContainsFunc(fresh, func(c string) bool { return slices.Contains(former, c) }) {
		t.Fatalf("NewRecoveryCodes = %q, want ten others than %q", fresh, former)
	}
	if m := s.mail.Next(t); m.To != "boss@provider.example" || !strings.Contains(m.Text, "Subject: Neue Notfallcodes") || strings.Contains(m.Text, fresh[0]) {
		t.Errorf("the mail = %s: %s", m.To, m.Text)
	}
	wantCode(t, "SecondFactor(a former code)", with(former[1]), hosting.SignIn)
	must(t, with(fresh[0]))
	s.trail(t, "recovery-codes.renewed", "boss@provider.example", "Boss")
}
