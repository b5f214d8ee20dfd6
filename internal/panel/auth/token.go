package auth

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// tokenPrefix lets scanners of leaked secrets know ours.
	tokenPrefix  = "kp_"
	maxTokenLife = 366 * 24 * time.Hour
	maxTokens    = 50
	// usedEvery is how exactly the last use of a token is kept.
	usedEvery = time.Hour
)

// NewToken is a request for a token of the API.
type NewToken struct {
	Name string
	// Scopes are what it is good for; never more than its owner may do.
	Scopes []hosting.Right
	Life   time.Duration
}

// TokenScopes returns all that a token can be good for: every right but those of changing
// how its owner signs in, and of signing in elsewhere.
func TokenScopes() []hosting.Right {
	return slices.DeleteFunc(hosting.Rights(), func(r hosting.Right) bool {
		return r == hosting.RightSelfChange || r == hosting.RightSelfSignIn
	})
}

// CreateToken makes a token for programs of who is signed in, and returns its text,
// which nobody can be shown again.
func (a *Auth) CreateToken(ctx context.Context, req NewToken) (string, error) {
	u, err := a.self(ctx)
	if err != nil {
		return "", err
	}
	if a.stage(ctx) != Done { // a token would be a way past the second factor
		return "", signInFirst()
	}
	return a.issue(ctx, u, req)
}

func (a *Auth) issue(ctx context.Context, u *hosting.User, req NewToken) (string, error) {
	name, err := hosting.ParsePersonName(req.Name)
	var fields []hosting.Field
	if err != nil {
		fields = append(fields, field("name", err))
	}
	if len(req.Scopes) == 0 {
		fields = append(fields, hosting.Field{Name: "scopes", Message: "Choose what the token is good for."})
	}
	for _, s := range req.Scopes {
		if !slices.Contains(TokenScopes(), s) {
			fields = append(fields, hosting.Field{Name: "scopes", Message: fmt.Sprintf("A token can't be good for %q; leave it out.", s)})
		}
	}
	if req.Life <= 0 || req.Life > maxTokenLife {
		fields = append(fields, hosting.Field{Name: "life", Message: "Choose an end within a year."})
	}
	if fields != nil {
		return "", &hosting.Error{Code: hosting.Invalid, Fields: fields}
	}
	text := tokenPrefix + hosting.NewSecret()
	return text, a.store.Write(ctx, func(tx hosting.Tx) error {
		have, err := tx.Tokens(ctx, u.ID, hosting.TokenAPI)
		if err != nil {
			return err
		}
		if len(have) >= maxTokens {
			return &hosting.Error{Code: hosting.Conflict, Message: fmt.Sprintf("You have %d tokens, which is the most there can be.", maxTokens), Mend: "Revoke one first."}
		}
		err = tx.InsertToken(ctx, &hosting.Token{ID: hosting.NewID(), Kind: hosting.TokenAPI, User: u.ID, Name: name, Hash: hosting.SecretHash(text),
			Scopes: req.Scopes, CreatedAt: a.now(), ExpiresAt: a.now().Add(req.Life)})
		if err != nil {
			return err
		}
		return a.recordIn(ctx, tx, u, "token.made")
	})
}

// Tokens returns those of who is signed in.
func (a *Auth) Tokens(ctx context.Context) ([]hosting.Token, error) {
	u, err := a.person(ctx, Done)
	if err != nil {
		return nil, err
	}
	return a.store.Tokens(ctx, u.ID, hosting.TokenAPI)
}

// RevokeToken removes one of one's own tokens.
func (a *Auth) RevokeToken(ctx context.Context, id hosting.ID) error {
	u, err := a.owner(ctx, Done)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		if err := tx.DeleteToken(ctx, u.ID, id); err != nil {
			return err
		}
		return a.recordIn(ctx, tx, u, "token.revoked")
	})
}

// bearer returns the actor of a token, nil when it is none.
func (a *Auth) bearer(ctx context.Context, text string) (*hosting.Actor, error) {
	t, actor, err := a.tokenActor(ctx, hosting.SecretHash(text))
	if err != nil || actor == nil || a.now().Sub(t.UsedAt) < usedEvery {
		return actor, err
	}
	t.UsedAt = a.now()
	err = a.store.Write(ctx, func(tx hosting.Tx) error { return tx.UpdateToken(ctx, t) })
	if err != nil && hosting.CodeOf(err) == hosting.NotFound { // revoked this moment
		return nil, nil
	}
	return actor, err
}

// tokenActor returns the token of a hash, and whose it is; nil when it counts for nothing.
func (a *Auth) tokenActor(ctx context.Context, hash string) (*hosting.Token, *hosting.Actor, error) {
	t, err := a.store.Token(ctx, hosting.TokenAPI, hash)
	if err != nil || !t.ExpiresAt.After(a.now()) {
		if err != nil && hosting.CodeOf(err) != hosting.NotFound {
			return nil, nil, err
		}
		return nil, nil, nil
	}
	actor, err := hosting.ActorOf(ctx, a.store, t.User)
	if err != nil {
		if code := hosting.CodeOf(err); code == hosting.NotFound || code == hosting.Forbidden {
			return nil, nil, nil
		}
		return nil, nil, err
	}
	actor.Address = AddressOf(ctx)
	actor.Scopes = append([]hosting.Right{}, t.Scopes...)
	return t, &actor, nil
}
