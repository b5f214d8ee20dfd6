package auth

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// seenEvery is how exactly the last use of a session is kept: each request would be
// a write otherwise.
const seenEvery = 5 * time.Minute

// visit is what a request tells of who sent it.
type visit struct {
	address netip.Addr
	agent   string
	session string        // the ID of the session that it came with; "" without a cookie
	token   string        // the hash of the token that it came with; "" without one
	asked   *http.Request // as it came, for its cookies
	answer  http.Header   // what it is answered with
	actor   *hosting.Actor
	stage   Stage
}

type visitKey struct{}

func visitOf(ctx context.Context) visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	if v == nil {
		return visit{}
	}
	return *v
}

// maxAgent bounds what is kept of a browser's name, in bytes.
const maxAgent = 200

// Wrap finds out who sends each request that next gets. Nobody is refused here.
func (a *Auth) Wrap(next http.Handler) http.Handler {
	identified := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.identify(r.Context()); err != nil {
			a.broken(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
	withSession := a.sessions.LoadAndSave(identified)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{address: addressOf(r, a.Proxies), agent: strings.ToValidUTF8(r.UserAgent()[:min(len(r.UserAgent()), maxAgent)], ""),
			asked: r, answer: w.Header()}
		if c, err := r.Cookie(a.sessions.Cookie.Name); err == nil {
			v.session = hosting.SecretHash(c.Value)
		}
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
		token, isToken := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !isToken {
			withSession.ServeHTTP(w, r)
			return
		}
		actor, err := a.bearer(r.Context(), token)
		if err != nil {
			a.broken(w, r, err)
			return
		}
		v.actor = actor
		// A program has no session: an empty one that nobody keeps.
		ctx, err := a.sessions.Load(r.Context(), "")
		if err != nil {
			a.broken(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// ActorOf returns who sent a request, and false when nobody is signed in.
func ActorOf(ctx context.Context) (hosting.Actor, bool) {
	v := visitOf(ctx)
	if v.actor == nil {
		return hosting.Actor{}, false
	}
	return *v.actor, true
}

// StageOf returns how far the sender of a request has signed in.
func StageOf(ctx context.Context) Stage { return visitOf(ctx).stage }

// AddressOf returns where a request comes from.
func AddressOf(ctx context.Context) netip.Addr { return visitOf(ctx).address }

// identify puts the session's actor into the visit.
func (a *Auth) identify(ctx context.Context) error {
	id := hosting.ID(a.sessions.GetString(ctx, keyUser))
	if id == "" {
		return nil
	}
	if seen := a.time(ctx, keySeen); a.now().Sub(seen) > sessionIdle {
		return a.sessions.Destroy(ctx)
	} else if a.now().Sub(seen) > seenEvery {
		a.putTime(ctx, keySeen)
	}
	visitIn(ctx).stage = a.stage(ctx)
	if a.stage(ctx) != Done {
		return nil
	}
	actor, err := a.actor(ctx, id, hosting.ID(a.sessions.GetString(ctx, keyBehind)))
	switch code := hosting.CodeOf(err); {
	case err == nil && a.lacksFactor(actor, func(key string) string { return a.sessions.GetString(ctx, key) }):
		return a.sessions.Destroy(ctx)
	case err == nil:
		visitIn(ctx).actor = actor
		return nil
	case code == hosting.NotFound || code == hosting.Forbidden: // deleted or suspended meanwhile
		return a.sessions.Destroy(ctx)
	}
	return err
}

// lacksFactor tells who signed in before they had to have a second factor, by what their
// session holds.
func (a *Auth) lacksFactor(actor *hosting.Actor, held func(key string) string) bool {
	return actor.Behind == "" && held(keyFactor) == "" && a.must(actor.Role, held(keyVouched) == "")
}

// visitIn returns the visit to be changed.
func visitIn(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{}
}

// actor reads an account, and who sits behind it when that is support.
func (a *Auth) actor(ctx context.Context, id, behind hosting.ID) (*hosting.Actor, error) {
	actor, err := hosting.ActorOf(ctx, a.store, id)
	if err != nil {
		return nil, err
	}
	actor.Address = AddressOf(ctx)
	if behind == "" {
		return &actor, nil
	}
	support, err := hosting.ActorOf(ctx, a.store, behind)
	if err != nil {
		return nil, err
	}
	of := hosting.Object{Owner: actor.ID, Reseller: actor.Reseller, OwnerRole: actor.Role}
	if err := hosting.May(support, hosting.RightUserActAs, of); err != nil {
		return nil, err
	}
	actor.Behind, actor.BehindName = support.ID, support.Name
	return &actor, nil
}

func (a *Auth) time(ctx context.Context, key string) time.Time {
	return parseTime(a.sessions.GetString(ctx, key))
}

func parseTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

func (a *Auth) putTime(ctx context.Context, key string) {
	a.sessions.Put(ctx, key, a.now().UTC().Format(time.RFC3339))
}
