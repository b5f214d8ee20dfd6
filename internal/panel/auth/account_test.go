package auth_test

import (
	"context"
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
