package auth_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// customer makes an account with a password through an invitation.
func (s *site) customer(t *testing.T, boss *browser, email string) *browser {
	t.Helper()
	var id hosting.ID
	var token string
	must(t, boss.in(t, func(ctx context.Context) error {
		actor, _ := auth.ActorOf(ctx)
		pack, err := s.Provider.CreatePackage(ctx, actor, hosting.NewPackage{Name: email})
		must(t, err)
		u, err := s.Provider.CreateUser(ctx, actor, hosting.NewUser{Email: email, Name: "Jo", Role: hosting.Customer, Package: pack.ID})
		must(t, err)
		id = u.ID
		token, err = s.InviteLink(ctx, actor, id)
		return err
	}))
	b := s.browser(t)
	must(t, b.in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, password, "en") }))
	wantCode(t, "SetPassword(used invitation)", b.in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, password, "en") }), hosting.SignIn)
	_, err := b.signIn(t, email, password)
	must(t, err)
	return b
}

func TestSupportActsAsACustomerAndIsSeen(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	jo := s.customer(t, boss, "jo@shop.example")
	id := jo.who(t).ID
	must(t, boss.in(t, func(ctx context.Context) error { return s.ActAs(ctx, id) }))
	who := boss.who(t)
	if who == nil || who.ID != id || who.BehindName != "Boss" {
		t.Fatalf("ActorOf(support) = %+v, want jo with Boss behind", who)
	}
	for what, do := range map[string]func(ctx context.Context) error{
		"ChangePassword": func(ctx context.Context) error {
			return s.ChangePassword(ctx, password, "another horse battery staple")
		},
		"BeginTOTP":       func(ctx context.Context) error { _, err := s.BeginTOTP(ctx); return err },
		"BeginAddPasskey": func(ctx context.Context) error { _, err := s.BeginAddPasskey(ctx); return err },
		"CreateToken": func(ctx context.Context) error {
			_, err := s.CreateToken(ctx, auth.NewToken{Name: "x", Scopes: []hosting.Right{hosting.RightSiteView}, Life: time.Hour})
			return err
		},
	} {
		wantCode(t, what+" by support", boss.in(t, do), hosting.Forbidden)
	}
	must(t, boss.in(t, s.ActAsEnd))
	if who := boss.who(t); who == nil || who.Role != hosting.Administrator || who.Behind != "" {
		t.Errorf("ActorOf afterwards = %+v, want Boss alone", who)
	}
	wantCode(t, "ActAs by a customer", jo.in(t, func(ctx context.Context) error { return s.ActAs(ctx, boss.who(t).ID) }), hosting.NotFound)
	// The trail tells, and holds.
	must(t, boss.in(t, func(ctx context.Context) error {
		actor, _ := auth.ActorOf(ctx)
		trail, err := s.Provider.Trail(ctx, actor, hosting.AuditQuery{Did: string(hosting.RightUserActAs)})
		must(t, err)
		if len(trail.Items) != 1 || trail.Items[0].ActorName != "Boss" || trail.Items[0].Object != "jo@shop.example" {
			t.Errorf("Trail = %+v, want that Boss acted as jo", trail.Items)
		}
		_, err = hosting.VerifyTrail(ctx, s.store)
		return err
	}))
}

func TestTokensAreGoodForTheirScopeAndTime(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	var token string
	must(t, boss.in(t, func(ctx context.Context) (err error) {
		token, err = s.CreateToken(ctx, auth.NewToken{Name: "CI", Scopes: []hosting.Right{hosting.RightSiteView}, Life: time.Hour})
		return err
	}))
	program := s.browser(t)
	program.header.Set("Authorization", "Bearer "+token)
	who := program.who(t)
	if who == nil || !hosting.Can(*who, hosting.RightSiteView, hosting.Object{Owner: "x"}) || hosting.Can(*who, hosting.RightSiteDelete, hosting.Object{Owner: "x"}) {
		t.Fatalf("ActorOf(token) = %+v, want one that may only view sites", who)
	}
	wantCode(t, "CreateToken with a token", program.in(t, func(ctx context.Context) error {
		_, err := s.CreateToken(ctx, auth.NewToken{Name: "more", Scopes: hosting.Rights(), Life: time.Hour})
		return err
	}), hosting.SignIn)
	s.pass(2 * time.Hour)
	if who := program.who(t); who != nil {
		t.Errorf("ActorOf(expired token) = %+v, want nobody", who)
	}
}

// A customer's invitation of a collaborator must not open what others granted.
func TestInvitationsDoNotOpenWhatOthersGranted(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	jo, eve := s.customer(t, boss, "jo@shop.example"), s.customer(t, boss, "eve@evil.example")
	invite := func(b *browser) (id hosting.ID, err error) {
		who := *b.who(t)
		u, err := s.Provider.Invite(t.Context(), who, hosting.Invitation{Email: "dev@agency.example", Name: "Dev", Customer: who.ID, Rights: []hosting.Right{hosting.RightSiteFiles}})
		must(t, err)
		_, err = s.InviteLink(t.Context(), who, u.ID)
		return u.ID, err
	}
	if _, err := invite(jo); err != nil {
		t.Errorf("InviteLink of one's own collaborator = %v", err)
	}
	if _, err := invite(eve); err == nil {
		t.Error("InviteLink of a collaborator with rights of others was given")
	}
}

// Whoever makes an account under somebody's address before they have one must not be in it
// when others open their sites to that address.
func TestAnAccountThatAnotherMadeIsNobodysWayIn(t *testing.T) {
	tests := map[string]struct {
		follow bool // eve sets the password, before jo invites
		leave  bool // and takes her own grant away again
	}{
		"its password is set":    {follow: true},
		"its link waits":         {},
		"nothing is granted any": {follow: true, leave: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.Provider.Mails = true
			boss := s.administrator(t)
			s.deliver(t, s.Auth)
			jo, eve := s.customer(t, boss, "jo@shop.example"), s.customer(t, boss, "eve@evil.example")
			invite := func(b *browser) hosting.ID {
				who := *b.who(t)
				u, err := s.Provider.Invite(t.Context(), who, hosting.Invitation{Email: "dev@agency.example", Name: "Dev", Customer: who.ID, Rights: []hosting.Right{hosting.RightSiteFiles}})
				must(t, err)
				return u.ID
			}
			id := invite(eve)
			token, err := s.InviteLink(t.Context(), *eve.who(t), id)
			must(t, err)
			stolen := s.browser(t)
			set := func() error {
				return stolen.in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, "eve's horse battery staple", "en") })
			}
			if test.follow {
				must(t, set())
				_, err := stolen.signIn(t, "dev@agency.example", "eve's horse battery staple")
				must(t, err)
			}
			if test.leave {
				must(t, s.Provider.RemoveCollaborator(t.Context(), *eve.who(t), id, hosting.Grant{Customer: eve.who(t).ID}))
			}
			invite(jo)
			if test.leave {
				must(t, s.MailInvitation(t.Context(), *jo.who(t), id, "en"))
			}
			if !test.follow {
				wantCode(t, "SetPassword by the link that eve has", set(), hosting.SignIn)
			}
			if who := stolen.who(t); who != nil {
				t.Errorf("eve's browser is still signed in as %+v", who)
			}
			if _, err := stolen.signIn(t, "dev@agency.example", "eve's horse battery staple"); err == nil {
				t.Error("eve's password opens the account that jo invited")
			}

			// Who reads the mail has it, and keeps it when others invite.
			token = tokenOf(t, s.mail.Next(t))
			dev := s.browser(t)
			must(t, dev.in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, password, "en") }))
			_, err = dev.signIn(t, "dev@agency.example", password)
			must(t, err)
			invite(eve)
			if who := dev.who(t); who == nil || len(who.Grants) != 2 {
				t.Errorf("dev is %+v, want signed in, with two grants", who)
			}
		})
	}
}

// Who signs in by a company has the account alone, also when a customer made it before and
// followed its link.
func TestACompanysPersonSharesNoAccountWithWhoMadeIt(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	eve := s.customer(t, boss, "eve@evil.example")
	by, err := s.Provider.PutIdentityProvider(t.Context(), *boss.who(t), hosting.IdentityProvider{Name: "Agency", Issuer: "https://id.agency.example",
		ClientID: "panel", Secret: []byte("secret"), Domains: []string{"agency.example"}})
	must(t, err)
	who := *eve.who(t)
	u, err := s.Provider.Invite(t.Context(), who, hosting.Invitation{Email: "dev@agency.example", Name: "Dev", Customer: who.ID, Rights: []hosting.Right{hosting.RightSiteFiles}})
	must(t, err)
	token, err := s.InviteLink(t.Context(), who, u.ID)
	must(t, err)
	must(t, eve.in(t, func(ctx context.Context) error { return s.SetPassword(ctx, token, "eve's horse battery staple", "en") }))
	admitted, err := s.Provider.Admit(t.Context(), by.ID, hosting.Claim{Subject: "1", Email: "dev@agency.example", Verified: true})
	must(t, err)
	if admitted.ID != u.ID {
		t.Errorf("Admit = %+v, want the account of that address", admitted)
	}
	_, err = eve.signIn(t, "dev@agency.example", "eve's horse battery staple")
	wantCode(t, "SignIn with the password that eve chose", err, hosting.SignIn)
}

// Nobody has the provider's mail server send to strangers by the hundred.
func TestInvitationsAreMailedAFewTimes(t *testing.T) {
	s := newSite(t)
	boss := s.administrator(t)
	eve := s.customer(t, boss, "eve@evil.example")
	who := *eve.who(t)
	invite := func(i int) error {
		u, err := s.Provider.Invite(t.Context(), who, hosting.Invitation{Email: fmt.Sprintf("dev%d@agency.example", i), Name: "Dev", Customer: who.ID, Rights: []hosting.Right{hosting.RightSiteFiles}})
		must(t, err)
		return s.MailInvitation(t.Context(), who, u.ID, "en")
	}
	for range 3 {
		must(t, invite(0))
	}
	wantCode(t, "MailInvitation to one person for the fourth time", invite(0), hosting.Limited)
	for i := 1; i <= 57; i++ {
		must(t, invite(i))
	}
	wantCode(t, "MailInvitation to the sixty-first", invite(61), hosting.Limited)
	s.pass(16 * time.Minute)
	must(t, invite(0))
}
