package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"kubepanel.io/kubepanel/internal/hosting"
)

// A browser comes from an application through the sign-in back to it: the pages' policy
// lets no form lead there, so something has to stand between.
func TestBrowserComesBackToTheApplication(t *testing.T) {
	town := newTown(t)
	o := town.open()
	o.signIn()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("code") != "" && r.URL.Query().Get("state") == "our state" {
			w.Write([]byte("Welcome to the tool"))
		}
	}))
	t.Cleanup(app.Close)
	back := app.URL + "/login/generic_oauth"
	town.write(func(ctx context.Context, tx hosting.Tx) error {
		return tx.PutApplication(ctx, &hosting.Application{ID: "tool", Name: "Tool", Redirects: []string{back}, Roles: []hosting.Role{hosting.Administrator}})
	})
	begin := "/openid/authorize?" + url.Values{
		"client_id": {"tool"}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid"}, "state": {"our state"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}, // RFC 7636 appendix B
	}.Encode()
	p := o.person()
	p.goes(begin)
	p.sees("Sign in with a passkey")
	p.fills([2]string{"email", "ada@provider.example"}, [2]string{"password", "correct horse battery staple"})
	p.sees("One more step")
	code, err := totp.GenerateCode(town.seed, time.Now().Add(30*time.Second)) // the one of setting it up counted already
	must(t, err)
	p.fills([2]string{"code", code})
	p.sees("Welcome to the tool")
	p.goes(begin) // signed in already
	p.sees("Welcome to the tool")
}
