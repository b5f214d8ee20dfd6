package auth

import (
	"context"
	"net/http"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Bearer finds out whose token a request carries, and returns the request with what
// ActorOf and AddressOf tell of it. A cookie counts for nothing here, so a browser that
// is signed in can't be made to ask by a page of somebody else.
func (a *Auth) Bearer(r *http.Request) (*http.Request, error) {
	v := &visit{address: addressOf(r, a.Proxies)}
	r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return r, nil
	}
	var err error
	v.actor, err = a.bearer(r.Context(), token)
	if v.actor != nil {
		v.token = hosting.SecretHash(token)
	}
	return r, err
}

// IssueToken makes a token for an account on the word of whoever has the panel's
// database, without a browser. It returns the token's text.
func (a *Auth) IssueToken(ctx context.Context, email string, req NewToken) (string, error) {
	u, err := a.store.UserByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
	if err != nil {
		return "", err
	}
	return a.issue(ctx, u, req)
}

// TokensOf returns an account's tokens to itself, whichever way it came.
func (a *Auth) TokensOf(ctx context.Context, by hosting.Actor) ([]hosting.Token, error) {
	if err := hosting.May(by, hosting.RightSelfView, hosting.Object{Owner: by.ID}); err != nil {
		return nil, err
	}
	return a.store.Tokens(ctx, by.ID, hosting.TokenAPI)
}

// SessionsOf returns an account's browsers to itself, whichever way it came.
func (a *Auth) SessionsOf(ctx context.Context, by hosting.Actor) ([]Session, error) {
	if err := hosting.May(by, hosting.RightSelfView, hosting.Object{Owner: by.ID}); err != nil {
		return nil, err
	}
	return a.sessionsOf(ctx, by.ID)
}

// EndToken makes the token that a request came with worthless, which needs no scope:
// who has it may always throw it away.
func (a *Auth) EndToken(ctx context.Context) error {
	v := visitOf(ctx)
	if v.actor == nil || v.token == "" {
		return signInFirst()
	}
	t, err := a.store.Token(ctx, hosting.TokenAPI, v.token)
	if err != nil {
		return err
	}
	u, err := a.store.User(ctx, t.User)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		if err := tx.DeleteToken(ctx, t.User, t.ID); err != nil {
			return err
		}
		return a.recordIn(ctx, tx, u, "token.revoked")
	})
}
