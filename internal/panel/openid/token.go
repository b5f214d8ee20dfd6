package openid

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// fault is an error of OAuth 2.0 (RFC 6749 sections 4.1.2.1 and 5.2).
type fault struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// Error implements error.
func (f *fault) Error() string { return f.Code + ": " + f.Description }

func (f fault) values() url.Values {
	return url.Values{"error": {f.Code}, "error_description": {f.Description}}
}

func invalidGrant() *fault {
	return &fault{"invalid_grant", "The code or the token is unknown, was used, has ended, or is another application's."}
}

// given is what an application gets for a code or a refresh token.
type given struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
}

// token trades a code or a refresh token for tokens (OpenID Connect Core section 3.1.3).
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || !single(r.PostForm) {
		p.refuse(w, r, &fault{"invalid_request", "The form can't be read, or says something twice."})
		return
	}
	app, err := p.client(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	var out *given
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		out, err = p.redeem(r.Context(), app, r.PostForm)
	case "refresh_token":
		out, err = p.refresh(r.Context(), app, r.PostForm.Get("refresh_token"))
	default:
		err = &fault{"unsupported_grant_type", "grant_type must be authorization_code or refresh_token."}
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	write(w, http.StatusOK, out)
}

// client returns the application that asks, by its secret in the one of two ways (RFC
// 6749 section 2.3.1).
func (p *Provider) client(r *http.Request) (*hosting.Application, error) {
	id, text, basic := r.BasicAuth()
	if basic {
		var errID, errText error
		id, errID = url.QueryUnescape(id)
		text, errText = url.QueryUnescape(text)
		if errID != nil || errText != nil || r.PostForm.Has("client_secret") || r.PostForm.Has("client_id") && r.PostForm.Get("client_id") != id {
			return nil, &fault{"invalid_request", "Say once who you are."}
		}
	} else {
		id, text = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	app, err := p.store.Application(r.Context(), hosting.ID(id))
	if err != nil && hosting.CodeOf(err) != hosting.NotFound {
		return nil, err
	}
	if err != nil || !app.Owns(text) {
		return nil, &fault{"invalid_client", "There is no such application, or its secret is another."}
	}
	return app, nil
}

// redeem trades a code for tokens, once. Who brings it a second time may have stolen it,
// or the first may have, so that all it brought ends then (RFC 6749 section 4.1.2).
func (p *Provider) redeem(ctx context.Context, app *hosting.Application, in url.Values) (*given, error) {
	pass, err := p.store.PassByCode(ctx, hosting.SecretHash(in.Get("code")))
	if err != nil || pass.Application != app.ID {
		return nil, ended(err)
	}
	who, err := p.holder(ctx, pass, app)
	if err != nil {
		return nil, ended(err)
	}
	session, err := p.store.Session(ctx, pass.Session)
	if err != nil {
		return nil, ended(err)
	}
	now := p.now()
	var out *given
	err = p.store.Write(ctx, func(tx hosting.Tx) error {
		out = nil
		pass, err := tx.PassByCode(ctx, hosting.SecretHash(in.Get("code")))
		if err != nil {
			return err
		}
		if !pass.RedeemedAt.IsZero() {
			return p.stolen(ctx, tx, who, app, pass)
		}
		if !pass.ExpiresAt.After(now) || in.Get("redirect_uri") != pass.Redirect || !verifies(in.Get("code_verifier"), pass.Challenge) {
			return tx.DeletePass(ctx, pass.ID) // one try
		}
		pass.RedeemedAt, pass.ExpiresAt = now, session.ExpiresAt
		if err := tx.RedeemPass(ctx, pass); err != nil {
			return err
		}
		if app.Logout != "" {
			if err := tx.InsertLogout(ctx, hosting.NewLogout(pass)); err != nil {
				return err
			}
		}
		out, err = p.give(ctx, tx, pass)
		return err
	})
	if err != nil {
		return nil, ended(err)
	}
	if out == nil {
		return nil, invalidGrant()
	}
	out.IDToken, err = p.vouch(ctx, who, pass, out.AccessToken, pass.Nonce)
	return out, err
}

// refresh trades a refresh token for others, once; see redeem.
func (p *Provider) refresh(ctx context.Context, app *hosting.Application, text string) (*given, error) {
	had, err := p.store.PassToken(ctx, hosting.PassRefresh, hosting.SecretHash(text))
	if err != nil {
		return nil, ended(err)
	}
	pass, err := p.store.Pass(ctx, had.Pass)
	if err != nil || pass.Application != app.ID {
		return nil, ended(err)
	}
	who, err := p.holder(ctx, pass, app)
	if err != nil {
		return nil, ended(err)
	}
	var out *given
	err = p.store.Write(ctx, func(tx hosting.Tx) error {
		out = nil
		had, err := tx.PassToken(ctx, hosting.PassRefresh, hosting.SecretHash(text))
		if err != nil {
			return err
		}
		if !had.UsedAt.IsZero() {
			return p.stolen(ctx, tx, who, app, pass)
		}
		if !had.ExpiresAt.After(p.now()) {
			return nil
		}
		had.UsedAt = p.now()
		if err := tx.UsePassToken(ctx, had); err != nil {
			return err
		}
		out, err = p.give(ctx, tx, pass)
		return err
	})
	if err != nil {
		return nil, ended(err)
	}
	if out == nil {
		return nil, invalidGrant()
	}
	out.IDToken, err = p.vouch(ctx, who, pass, out.AccessToken, "")
	return out, err
}

// stolen ends a pass of which something came twice, and leaves a line about it.
func (p *Provider) stolen(ctx context.Context, tx hosting.Tx, who hosting.Actor, app *hosting.Application, pass *hosting.Pass) error {
	if err := tx.DeletePass(ctx, pass.ID); err != nil {
		return err
	}
	return hosting.Record(ctx, tx, who, p.now(), hosting.Deed{Did: "application.replay", Object: app.Called(), On: hosting.Object{Owner: who.ID, Reseller: who.Reseller}})
}

// give makes a pass' tokens, which end with it at the latest.
func (p *Provider) give(ctx context.Context, tx hosting.Tx, pass *hosting.Pass) (*given, error) {
	now := p.now()
	ends := now.Add(tokenLife)
	if pass.ExpiresAt.Before(ends) {
		ends = pass.ExpiresAt
	}
	out := &given{AccessToken: hosting.NewSecret(), TokenType: "Bearer", ExpiresIn: int64(ends.Sub(now) / time.Second), Scope: strings.Join(pass.Scopes, " ")}
	if err := tx.InsertPassToken(ctx, &hosting.PassToken{Hash: hosting.SecretHash(out.AccessToken), Pass: pass.ID, Kind: hosting.PassAccess, ExpiresAt: ends}); err != nil {
		return nil, err
	}
	if !slices.Contains(pass.Scopes, scopeOffline) {
		return out, nil
	}
	out.RefreshToken = hosting.NewSecret()
	return out, tx.InsertPassToken(ctx, &hosting.PassToken{Hash: hosting.SecretHash(out.RefreshToken), Pass: pass.ID, Kind: hosting.PassRefresh, ExpiresAt: pass.ExpiresAt})
}

// verifies tells whether a verifier is that of a challenge (RFC 7636 section 4.6).
func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// ended is what an application is told when a sign-in is no more; what broke stays.
func ended(err error) error {
	if err != nil && !over(err) {
		return err
	}
	return invalidGrant()
}

// refuse answers with an error.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f, ok := err.(*fault) //nolint:errorlint // never wrapped
	switch {
	case !ok && r.Context().Err() != nil:
		return
	case !ok:
		p.Log.ErrorContext(r.Context(), "answer an application", "path", r.URL.Path, "err", err)
		write(w, http.StatusInternalServerError, fault{"server_error", "Something broke on the panel's side."})
	case f.Code == "invalid_client":
		w.Header().Set("WWW-Authenticate", `Basic realm="applications"`)
		write(w, http.StatusUnauthorized, f)
	default:
		write(w, http.StatusBadRequest, f)
	}
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck,errchkjson // an application that went away
}
