package auth_test

import (
	"context"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// strictly are the options by default of a panel that sends no mail.
func strictly(o *auth.Options) { o.Mailer, o.MailedCodes, o.PasswordAlone = nil, true, false }

// Whose password would be all that it takes is led to a second factor, and gets nothing else.
func TestWhomAPasswordAloneLetsIn(t *testing.T) {
	everybody := "administrator reseller customer collaborator "
	tests := map[string]struct {
		options   func(*auth.Options)
		want      auth.Stage
		unguarded string
	}{
		"no mail":                     {strictly, auth.MustEnrol, ""},
		"mail, but no codes":          {func(o *auth.Options) { o.PasswordAlone = false }, auth.MustEnrol, ""},
		"no mail, and nobody must":    {func(o *auth.Options) { strictly(o); o.SecondFactorFor = nil }, auth.MustEnrol, ""},
		"no mail, allowed":            {func(o *auth.Options) { o.Mailer = nil }, auth.Done, everybody},
		"no codes, allowed":           {func(*auth.Options) {}, auth.Done, everybody},
		"allowed, but the role must":  {func(o *auth.Options) { o.SecondFactorFor = []hosting.Role{hosting.Customer} }, auth.MustEnrol, "administrator reseller collaborator "},
		"codes":                       {func(o *auth.Options) { o.MailedCodes, o.PasswordAlone = true, false }, auth.Mailed, ""},
		"codes, and it would be fine": {func(o *auth.Options) { o.MailedCodes = true }, auth.Mailed, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.customer(t, s.administrator(t), jo)
			test.options(&s.options)
			s.restart(t)
			b := s.browser(t)
			if stage := b.stage(t, jo, password); stage != test.want {
				t.Errorf("SignIn = %s, want %s", stage, test.want)
			}
			if who := b.who(t); (who != nil) != (test.want == auth.Done) {
				t.Errorf("ActorOf at the stage %s = %+v", test.want, who)
			}
			roles := ""
			for _, role := range s.Unguarded() {
				roles += string(role) + " "
			}
			if roles != test.unguarded {
				t.Errorf("Unguarded = %q, want %q", roles, test.unguarded)
			}
		})
	}
}

// An upgrade, or mail that is taken away, ends the sessions of whom a password let in. Who set
// a factor up keeps it; a token goes on.
func TestSessionsOfAPasswordAloneEnd(t *testing.T) {
	s := newSite(t)
	b := s.customer(t, s.administrator(t), jo)
	proven := s.browser(t)
	proven.stage(t, jo, password)
	proven.enrolTOTP(t)
	token := ""
	must(t, proven.in(t, func(ctx context.Context) (err error) {
		token, err = s.CreateToken(ctx, auth.NewToken{Name: "program", Scopes: []hosting.Right{hosting.RightSiteView}, Life: time.Hour})
		return err
	}))
	program := s.browser(t)
	program.header.Set("Authorization", "Bearer "+token)

	strictly(&s.options)
	s.restart(t)
	if who := b.who(t); who != nil {
		t.Errorf("ActorOf(a session of a password alone) = %+v, want nobody", who)
	}
	if proven.who(t) == nil || program.who(t) == nil {
		t.Error("ActorOf(a session that proved a factor, or a token) = nobody")
	}
	wantCode(t, "RemoveTOTP(the last factor)", proven.in(t, s.RemoveTOTP), hosting.Conflict)
	k := proven.addPasskey(t)
	must(t, proven.in(t, s.RemoveTOTP))
	wantCode(t, "RemovePasskey(the last factor)", proven.in(t, func(ctx context.Context) error {
		keys, err := s.Passkeys(ctx)
		must(t, err)
		return s.RemovePasskey(ctx, keys[0].ID)
	}), hosting.Conflict)
	if stage := s.browser(t).stage(t, jo, password); stage != auth.SecondFactor || k == nil {
		t.Errorf("SignIn with a factor = %s, want %s", stage, auth.SecondFactor)
	}
}

// The first administrator, by a link, and who sets a password anew are no way around.
func TestNoLinkLeadsAroundTheSecondFactor(t *testing.T) {
	s := newSite(t, strictly)
	boss := s.administrator(t)
	if who := boss.who(t); who != nil {
		t.Fatalf("ActorOf(first start) = %+v, want nobody before there is a second factor", who)
	}
	boss.enrolTOTP(t)
	b := s.customer(t, boss, jo)
	if who := b.who(t); who != nil {
		t.Errorf("ActorOf(by an invitation) = %+v, want nobody before there is a second factor", who)
	}
	b.enrolTOTP(t)
	if b.who(t) == nil {
		t.Error("nobody is signed in after setting one up")
	}
}
