package auth_test

import (
	"context"
	"errors"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// A password is looked up wherever one is set, after who may set one is known, and one
// that can't be looked up is not taken (OWASP ASVS 5.0, 6.2.12).
func TestStolenPasswordsAreRefused(t *testing.T) {
	const stolen = "tangerine umbrella 1987"
	away, asked := false, 0
	s := newSite(t, func(o *auth.Options) {
		o.Breached = func(_ context.Context, password string) (bool, error) {
			if asked++; away {
				return false, errors.New("the list does not answer")
			}
			return password == stolen, nil
		}
	})
	token, err := s.FirstLink(t.Context())
	must(t, err)
	claim := func(token, password string) error {
		return s.browser(t).in(t, func(ctx context.Context) error {
			_, err := s.ClaimFirst(ctx, token, auth.NewAdministrator{Email: "boss@provider.example", Name: "Boss", Password: password})
			return err
		})
	}
	wantCode(t, "ClaimFirst(a guessed link)", claim("guessed", stolen), hosting.SignIn)
	if asked != 0 {
		t.Errorf("a stranger had the list asked %d times", asked)
	}
	wantCode(t, "ClaimFirst(stolen)", claim(token, stolen), hosting.Invalid)
	must(t, claim(token, password))

	b := s.browser(t)
	_, err = b.signIn(t, "boss@provider.example", password)
	must(t, err)
	change := func(to string) error {
		return b.in(t, func(ctx context.Context) error { return s.ChangePassword(ctx, password, to) })
	}
	wantCode(t, "ChangePassword(stolen)", change(stolen), hosting.Invalid)
	away = true
	wantCode(t, "ChangePassword(while the list is away)", change("quite another password"), hosting.Invalid)
	if stage, err := s.browser(t).signIn(t, "boss@provider.example", password); err != nil || stage != auth.Done {
		t.Errorf("SignIn while the list is away = %s, %v, want that it is not asked", stage, err)
	}
	var link string
	must(t, b.in(t, func(ctx context.Context) error {
		actor, _ := auth.ActorOf(ctx)
		u, err := s.Provider.CreateUser(ctx, actor, hosting.NewUser{Email: "ann@provider.example", Name: "Ann", Role: hosting.Administrator})
		must(t, err)
		link, err = s.InviteLink(ctx, actor, u.ID)
		return err
	}))
	set := func(to string) error {
		return s.browser(t).in(t, func(ctx context.Context) error { return s.SetPassword(ctx, link, to, "en") })
	}
	wantCode(t, "SetPassword(while the list is away)", set("quite another password"), hosting.Invalid)
	away = false
	wantCode(t, "SetPassword(stolen)", set(stolen), hosting.Invalid)
	must(t, set("quite another password"))
	must(t, change("quite another password"))
}
