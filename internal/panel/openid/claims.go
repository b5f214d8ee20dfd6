package openid

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	scopeOffline = "offline_access"
	scopeProfile = "profile"
	scopeEmail   = "email"
	scopeGroups  = "groups"
)

// scopes are what can be asked for.
func scopes() []string {
	return []string{"openid", scopeProfile, scopeEmail, scopeGroups, scopeOffline}
}

// person is what is said of somebody (OpenID Connect Core section 5.1).
type person struct {
	// Subject is the account's ID, which is nobody else's ever.
	Subject  string   `json:"sub"`
	Name     string   `json:"name,omitempty"`
	Email    string   `json:"email,omitempty"`
	Verified *bool    `json:"email_verified,omitempty"`
	Groups   []string `json:"groups,omitempty"`
}

// describe says of somebody what an application asked for. An address is verified when
// somebody followed a link that was mailed there.
func (p *Provider) describe(ctx context.Context, who hosting.Actor, scopes []string) (person, error) {
	of := person{Subject: string(who.ID)}
	if slices.Contains(scopes, scopeProfile) {
		of.Name = who.Name
	}
	if slices.Contains(scopes, scopeEmail) {
		login, err := p.store.Login(ctx, who.ID)
		if err != nil {
			return of, err
		}
		of.Email, of.Verified = who.Email, new(login.Confirmed == who.Email)
	}
	if slices.Contains(scopes, scopeGroups) {
		of.Groups = []string{string(who.Role)}
	}
	return of, nil
}

// statement is what is signed beside that (OpenID Connect Core section 2).
type statement struct {
	person

	Issuer     string           `json:"iss"`
	Audience   string           `json:"aud"`
	Expires    *jwt.NumericDate `json:"exp"`
	IssuedAt   *jwt.NumericDate `json:"iat"`
	AuthTime   *jwt.NumericDate `json:"auth_time"`
	Nonce      string           `json:"nonce,omitempty"`
	AccessHash string           `json:"at_hash"`
	Session    string           `json:"sid"`           // OpenID Connect Back-Channel Logout 1.0 section 2.1
	Methods    []string         `json:"amr,omitempty"` // RFC 8176
}

// vouch signs who somebody is.
func (p *Provider) vouch(ctx context.Context, who hosting.Actor, pass *hosting.Pass, access, nonce string) (string, error) {
	key, err := p.signs(ctx)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: *key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	about, err := p.describe(ctx, who, pass.Scopes)
	if err != nil {
		return "", err
	}
	now, sum := p.now(), sha256.Sum256([]byte(access))
	says := statement{
		person: about, Issuer: p.Issuer(), Audience: string(pass.Application), Nonce: nonce,
		IssuedAt: jwt.NewNumericDate(now), Expires: jwt.NewNumericDate(now.Add(tokenLife)), AuthTime: jwt.NewNumericDate(pass.ProvenAt),
		AccessHash: base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]), Session: hosting.NewLogout(pass).ID,
	}
	if pass.Factor {
		says.Methods = []string{"mfa"}
	}
	return jwt.Signed(signer).Claims(says).Serialize()
}

// userinfo says who an access token is of (OpenID Connect Core section 5.3).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	pass, who, err := p.bearer(r.Context(), text)
	var about person
	if err == nil {
		about, err = p.describe(r.Context(), who, pass.Scopes)
	}
	if err != nil && !over(err) {
		p.refuse(w, r, err)
		return
	}
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		write(w, http.StatusUnauthorized, fault{"invalid_token", "The token is unknown or has ended."})
		return
	}
	write(w, http.StatusOK, about)
}

// bearer returns whose an access token is.
func (p *Provider) bearer(ctx context.Context, text string) (*hosting.Pass, hosting.Actor, error) {
	var nobody hosting.Actor
	t, err := p.store.PassToken(ctx, hosting.PassAccess, hosting.SecretHash(text))
	if err != nil {
		return nil, nobody, err
	}
	if !t.ExpiresAt.After(p.now()) {
		return nil, nobody, &hosting.Error{Code: hosting.SignIn, Message: "The token has ended."}
	}
	pass, err := p.store.Pass(ctx, t.Pass)
	if err != nil {
		return nil, nobody, err
	}
	app, err := p.store.Application(ctx, pass.Application)
	if err != nil {
		return nil, nobody, err
	}
	who, err := p.holder(ctx, pass, app)
	return pass, who, err
}

// discovery tells where everything is and what there is (OpenID Connect Discovery section 3).
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age="+keySetLife)
	write(w, http.StatusOK, map[string]any{
		"issuer":                                         p.Issuer(),
		"authorization_endpoint":                         p.address(PathAuthorize),
		"token_endpoint":                                 p.address(pathToken),
		"userinfo_endpoint":                              p.address(pathUserinfo),
		"jwks_uri":                                       p.address(pathKeys),
		"end_session_endpoint":                           p.address(PathLeave),
		"scopes_supported":                               scopes(),
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{string(jose.RS256)},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post", "none"},
		"code_challenge_methods_supported":               []string{"S256"},
		"claims_supported":                               []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "amr", "sid", "name", "email", "email_verified", "groups"},
		"prompt_values_supported":                        []string{"none", "login"},
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
		"authorization_response_iss_parameter_supported": true,
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
	})
}

const keySetLife = "3600" // in seconds; shorter than keyAhead, so that nobody misses a key

// keySlack is added to what a signature may live, for clocks that differ.
const keySlack = 10 * time.Minute
