package auth

import (
	"cmp"
	"context"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// tokenSession begins the name of what a token is used for in place of a session.
const tokenSession = "token:"

// SessionOf returns the ID of the session that a request came with, or what stands for
// its token, "" without either. It names them where cookie and token do not come, and
// opens nothing.
func SessionOf(ctx context.Context) string {
	v := visitOf(ctx)
	if v.token != "" {
		return tokenSession + v.token
	}
	return v.session
}

// Proof tells when who is signed in last proved who it is, and whether that took a second
// factor.
func (a *Auth) Proof(ctx context.Context) (at time.Time, factor bool) {
	return a.time(ctx, keyFresh), a.sessions.GetString(ctx, keyFactor) != ""
}

// ActorOfSession returns who is signed in with a session or a token of SessionOf's now. It
// returns SignIn when nobody is any more.
func (a *Auth) ActorOfSession(ctx context.Context, id string) (hosting.Actor, error) {
	over := &hosting.Error{Code: hosting.SignIn, Message: "The session is over.", Mend: "Sign in again."}
	if hash, ok := strings.CutPrefix(id, tokenSession); ok {
		return a.actorOfToken(ctx, hash, over)
	}
	s, err := a.store.Session(ctx, id)
	if err != nil && hosting.CodeOf(err) != hosting.NotFound {
		return hosting.Actor{}, err
	}
	if err != nil || !s.ExpiresAt.After(a.now()) {
		return hosting.Actor{}, over
	}
	_, values, err := codec{}.Decode(s.Data)
	if err != nil {
		return hosting.Actor{}, err
	}
	text := func(key string) string { value, _ := values[key].(string); return value }
	if text(keyUser) == "" || Stage(text(keyStage)) != Done || a.now().Sub(parseTime(text(keySeen))) > sessionIdle {
		return hosting.Actor{}, over
	}
	actor, err := a.actor(ctx, hosting.ID(text(keyUser)), hosting.ID(text(keyBehind)))
	switch code := hosting.CodeOf(err); {
	case err == nil && a.lacksFactor(actor, text):
		return hosting.Actor{}, over
	case err == nil:
		return *actor, nil
	case code == hosting.NotFound || code == hosting.Forbidden: // deleted or suspended meanwhile
		return hosting.Actor{}, over
	}
	return hosting.Actor{}, err
}

// actorOfToken returns whose a token is, by its hash, or over when it counts no more.
func (a *Auth) actorOfToken(ctx context.Context, hash string, over error) (hosting.Actor, error) {
	_, actor, err := a.tokenActor(ctx, hash)
	if err != nil || actor == nil {
		return hosting.Actor{}, cmp.Or(err, over)
	}
	return *actor, nil
}
