package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// company is an OpenID Connect provider that signs everybody in at once, and can be made to lie.
type company struct {
	t      *testing.T
	server *httptest.Server
	key    *ecdsa.PrivateKey
	// says is what it claims of who signs in, beside what the protocol wants.
	says map[string]any
	// asked is what the panel sent people with.
	asked url.Values
}

const companySecret = "secret of the panel"

func newCompany(t *testing.T) *company {
	t.Helper()
	c := &company{t: t, says: map[string]any{"sub": "42", "email": "boss@provider.example", "email_verified": true, "name": "Ada"}}
	var err error
	if c.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		at := c.server.URL
		c.write(w, map[string]any{"issuer": at, "authorization_endpoint": at + "/authorize", "token_endpoint": at + "/token", "jwks_uri": at + "/keys",
			"id_token_signing_alg_values_supported": []string{"ES256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		c.write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: c.key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", c.token)
	c.server = httptest.NewTLSServer(mux)
	t.Cleanup(c.server.Close)
	return c
}

func (c *company) write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		c.t.Error(err)
	}
}

// token trades the code that it gave for a token, when all is as OIDC Core 3.1.3 wants it.
func (c *company) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if id != "panel" || secret != url.QueryEscape(companySecret) || r.PostFormValue("code") != "good" || r.PostFormValue("redirect_uri") != c.asked.Get("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != c.asked.Get("code_challenge") || c.asked.Get("code_challenge_method") != "S256" {
		w.WriteHeader(http.StatusBadRequest)
		c.write(w, map[string]any{"error": "invalid_grant"})
		return
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: c.key, KeyID: "1"}}, nil)
	if err != nil {
		c.t.Error(err)
		return
	}
	claims := map[string]any{"iss": c.server.URL, "aud": "panel", "iat": clock.Unix(), "exp": clock.Add(time.Minute).Unix(), "nonce": c.asked.Get("nonce")}
	for name, value := range c.says {
		claims[name] = value
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		c.t.Error(err)
	}
	c.write(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": text})
}

// come sends a browser through the provider and back to the panel.
func (c *company) come(b *browser, begin string) answer {
	c.t.Helper()
	away := b.get(begin)
	to, err := url.Parse(away.header.Get("Location"))
	if err != nil || away.code != http.StatusSeeOther || to.Path != "/authorize" {
		c.t.Fatalf("the way to the provider = %d to %q: %.1000s", away.code, away.header.Get("Location"), away.body)
	}
	c.asked = to.Query()
	back, err := url.Parse(c.asked.Get("redirect_uri"))
	if err != nil {
		c.t.Fatal(err)
	}
	return b.get(back.Path + "?" + url.Values{"code": {"good"}, "state": {c.asked.Get("state")}}.Encode())
}
