package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"kubepanel.io/kubepanel/internal/hosting"
)

// A company's people sign in by its OpenID Connect provider: the code flow with PKCE (RFC
// 7636), whose state, nonce and verifier stand in the session of the browser that began it.
// An answer that another browser asked for is refused, so nobody is signed in to a
// stranger's account. Each provider has an address of its own for answers, so that one
// can't answer for another (RFC 9700 section 4.4).

const (
	// providerPatience bounds each request to a provider, maxAnswer what it may answer.
	providerPatience = 10 * time.Second
	maxAnswer        = 1 << 20
	// providerLife is how long what a provider says of itself is believed.
	providerLife = time.Hour
)

// Button leads to a company's provider.
type Button struct {
	ID   hosting.ID
	Name string
}

// Companies returns the providers that one can sign in by.
func (a *Auth) Companies(ctx context.Context) ([]Button, error) {
	all, err := a.store.IdentityProviders(ctx)
	if err != nil {
		return nil, err
	}
	buttons := make([]Button, 0, len(all))
	for _, p := range all {
		buttons = append(buttons, Button{p.ID, p.Name})
	}
	return buttons, nil
}

// begun is a sign-in by a provider that is under way.
type begun struct {
	Provider               hosting.ID
	State, Nonce, Verifier string
	Next                   string
}

// BeginCompany returns where to send the browser, and remembers where to go then.
func (a *Auth) BeginCompany(ctx context.Context, id hosting.ID, next string) (string, error) {
	if err := a.count(ctx, map[string]int64{a.byAddress(ctx): perAddress}); err != nil {
		return "", err
	}
	by, err := a.store.IdentityProvider(ctx, id)
	if err != nil {
		return "", err
	}
	known, err := a.companies.find(ctx, by)
	if err != nil {
		return "", err
	}
	b := begun{Provider: id, State: hosting.NewSecret(), Nonce: hosting.NewSecret(), Verifier: oauth2.GenerateVerifier(), Next: next}
	kept, err := json.Marshal(b)
	if err != nil {
		return "", err
	}
	a.sessions.Put(ctx, keyCompany, string(kept))
	return a.client(by, known).AuthCodeURL(b.State, oidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier)), nil
}

// client is the panel as the provider knows it.
func (a *Auth) client(by *hosting.IdentityProvider, known *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: by.ClientID, ClientSecret: string(by.Secret), Endpoint: known.Endpoint(),
		RedirectURL: a.CompanyAnswers(by.ID), Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// CompanyAnswers is the address that a provider has to send people back to.
func (a *Auth) CompanyAnswers(id hosting.ID) string {
	return a.URL.JoinPath("sign-in", "company", string(id), "answer").String()
}

// FinishCompany signs in who comes back from a provider with its answer, and returns
// where they wanted to go.
func (a *Auth) FinishCompany(ctx context.Context, id hosting.ID, answer url.Values) (stage Stage, next string, err error) {
	if err := a.count(ctx, map[string]int64{a.byAddress(ctx): perAddress}); err != nil {
		return Nobody, "", err
	}
	var b begun
	if text := a.sessions.PopString(ctx, keyCompany); text != "" {
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			return Nobody, "", err
		}
	}
	if b.Provider != id || b.State == "" || subtle.ConstantTimeCompare([]byte(b.State), []byte(answer.Get("state"))) != 1 {
		return Nobody, "", notBegunHere()
	}
	by, err := a.store.IdentityProvider(ctx, id)
	if err != nil {
		return Nobody, "", err
	}
	if said := answer.Get("error"); said != "" {
		slog.Warn("a sign-in by a company's provider was refused there", "provider", by.Name, "error", said)
		return Nobody, "", &hosting.Error{Code: hosting.Forbidden, Message: by.Name + " did not sign you in.", Mend: "Try again, or use another way."}
	}
	claim, err := a.redeem(ctx, by, &b, answer.Get("code"))
	if err != nil {
		return Nobody, "", err
	}
	u, err := a.Provider.Admit(ctx, id, *claim)
	if err != nil {
		return Nobody, "", err
	}
	if u.Stopped() {
		return Nobody, "", &hosting.Error{Code: hosting.Forbidden, Message: "This account is suspended.", Mend: "Ask who gave it to you."}
	}
	stage, err = a.admitted(ctx, u, by.AsksFactor)
	return stage, b.Next, err
}

func notBegunHere() error {
	return &hosting.Error{Code: hosting.SignIn, Message: "This sign-in was not begun in this browser, or took too long.", Mend: "Begin it again."}
}

// admitted begins the session of an account that a provider sent. Unless the provider
// asks for a second factor itself, the panel does.
func (a *Auth) admitted(ctx context.Context, u *hosting.User, asked bool) (Stage, error) {
	if asked {
		if err := a.begin(ctx, u, Done); err != nil {
			return Nobody, err
		}
		a.sessions.Put(ctx, keyFactor, "1")
		return Done, nil
	}
	login, err := a.store.Login(ctx, u.ID)
	if err != nil {
		return Nobody, err
	}
	stage, err := a.next(ctx, u, login, false)
	if err == nil {
		a.sessions.Put(ctx, keyVouched, "1")
	}
	return stage, err
}

// redeem trades the code for what the provider says of who is there.
func (a *Auth) redeem(ctx context.Context, by *hosting.IdentityProvider, b *begun, code string) (*hosting.Claim, error) {
	known, err := a.companies.find(ctx, by)
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, a.companies.http)
	token, err := a.client(by, known).Exchange(ctx, code, oauth2.VerifierOption(b.Verifier))
	if err != nil {
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
			return nil, refusedBy(by, fmt.Errorf("%s: %s", refused.ErrorCode, refused.ErrorDescription))
		}
		return nil, away(by, err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := known.Verifier(&oidc.Config{ClientID: by.ClientID, Now: a.now}).Verify(ctx, raw)
	if err != nil {
		return nil, refusedBy(by, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(b.Nonce)) != 1 {
		return nil, refusedBy(by, errors.New("the token's nonce is another"))
	}
	var said profile
	if err := id.Claims(&said); err != nil {
		return nil, refusedBy(by, err)
	}
	if said.Email == "" && known.UserInfoEndpoint() != "" { // a provider may say it only when asked (OIDC Core section 5.4)
		info, err := known.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return nil, away(by, err)
		}
		if info.Subject != id.Subject { // OIDC Core section 5.3.2
			return nil, refusedBy(by, errors.New("userinfo is about somebody else"))
		}
		if err := info.Claims(&said); err != nil {
			return nil, refusedBy(by, err)
		}
	}
	return &hosting.Claim{Subject: id.Subject, Email: said.Email, Name: said.Name, Verified: bool(said.Verified), Address: AddressOf(ctx)}, nil
}

// profile are the claims that the panel reads.
type profile struct {
	Email    string `json:"email"`
	Name     string `json:"name"`
	Verified truth  `json:"email_verified"`
}

// truth is a bool that some providers write as text.
type truth bool

// UnmarshalJSON implements json.Unmarshaler. Everything but true is false.
func (t *truth) UnmarshalJSON(data []byte) error {
	*t = truth(slices.Contains([]string{"true", `"true"`}, string(data)))
	return nil
}

func refusedBy(by *hosting.IdentityProvider, err error) error {
	slog.Warn("the answer of a company's provider was not accepted", "provider", by.Name, "error", err)
	return &hosting.Error{Code: hosting.SignIn, Message: "The answer of " + by.Name + " was not accepted.", Mend: "Begin again; if it stays, tell who runs this panel.", Err: err}
}

func away(by *hosting.IdentityProvider, err error) error {
	slog.Warn("a company's provider can't be asked", "provider", by.Name, "error", err)
	return &hosting.Error{Code: hosting.Unreachable, Message: by.Name + " does not answer.", Mend: "Try again in a moment, or sign in another way.", Err: err}
}

// companies remembers what providers say of themselves.
type companies struct {
	http *http.Client
	now  func() time.Time

	mu    sync.Mutex
	known map[string]heard // by issuer
}

type heard struct {
	provider *oidc.Provider
	at       time.Time
}

// find returns a provider's addresses and keys, asking it when it was not asked lately.
func (c *companies) find(ctx context.Context, by *hosting.IdentityProvider) (*oidc.Provider, error) {
	c.mu.Lock()
	before, ok := c.known[by.Issuer]
	c.mu.Unlock()
	if ok && c.now().Sub(before.at) < providerLife {
		return before.provider, nil
	}
	// Its keys are fetched later with the same context, so it must not end with this request.
	asked, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.http), by.Issuer)
	if err != nil {
		return nil, away(by, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[by.Issuer] = heard{asked, c.now()}
	return asked, nil
}

// bounded reads no more of an answer than any honest one has.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	}
	return answer, err
}

// stay follows no redirect: a provider says where its addresses are.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
