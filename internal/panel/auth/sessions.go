package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// What a session holds.
const (
	keyUser    = "user"    // who signed in, or as whom support works
	keyStage   = "stage"   // how far; see Stage
	keyBehind  = "behind"  // who really sits there
	keySeen    = "seen"    // last use, RFC 3339
	keyFresh   = "fresh"   // last proof of who it is
	keyFactor  = "factor"  // set when there was a second factor
	keyVouched = "vouched" // set when a company said who it is, and no password did
	keyMailed  = "mailed"  // the secret of a sign-in that waits for a mailed code
	keyTOTP    = "totp"    // the URL of a seed that is not confirmed yet
	keyCompany = "company" // a sign-in by a company's provider that is under way
	keyPasskey = "passkey" // the challenge of a passkey
	keyReads   = "reads"   // the language that was noted of it; see Reads
)

// codec writes a session as JSON; all values are text.
type codec struct{}

type content struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// Encode implements scs.Codec.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	c := content{Deadline: deadline, Values: make(map[string]string, len(values))}
	for key, value := range values {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("write a session: %s is a %T", key, value)
		}
		c.Values[key] = text
	}
	return json.Marshal(c)
}

// Decode implements scs.Codec.
func (codec) Decode(data []byte) (time.Time, map[string]any, error) {
	var c content
	if err := json.Unmarshal(data, &c); err != nil {
		return time.Time{}, nil, fmt.Errorf("read a session: %w", err)
	}
	values := make(map[string]any, len(c.Values))
	for key, value := range c.Values {
		values[key] = value
	}
	return c.Deadline, values, nil
}

// sessionStore keeps scs' sessions in the panel's store, under the hash of the
// cookie's token: who reads the database can't use them.
type sessionStore struct{ auth *Auth }

// FindCtx implements scs.CtxStore.
func (s *sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	found, err := s.auth.store.Session(ctx, hosting.SecretHash(token))
	if err != nil {
		if hosting.CodeOf(err) == hosting.NotFound {
			return nil, false, nil
		}
		return nil, false, err
	}
	return found.Data, found.ExpiresAt.After(s.auth.now()), nil
}

// CommitCtx implements scs.CtxStore. A session that the request came with is only
// changed, never made: it may have been ended while the request ran.
func (s *sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	var c content
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	v := visitOf(ctx)
	kept := &hosting.Session{ID: hosting.SecretHash(token), User: hosting.ID(c.Values[keyUser]), Data: data,
		Agent: v.agent, CreatedAt: s.auth.now(), ExpiresAt: expiry}
	if v.address.IsValid() {
		kept.Address = v.address.String()
	}
	if c.Values[keyStage] != string(Done) && expiry.After(s.auth.now().Add(halfFor)) {
		kept.ExpiresAt = s.auth.now().Add(halfFor) // nobody yet: an hour of such visitors is all that is kept
	}
	return s.auth.store.Write(ctx, func(tx hosting.Tx) error {
		if kept.ID != v.session {
			return tx.PutSession(ctx, kept)
		}
		if err := tx.UpdateSession(ctx, kept); err != nil && hosting.CodeOf(err) != hosting.NotFound {
			return err
		}
		return nil
	})
}

// DeleteCtx implements scs.CtxStore.
func (s *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.auth.store.Write(ctx, func(tx hosting.Tx) error { return tx.DeleteSession(ctx, hosting.SecretHash(token)) })
}

var errNoContext = errors.New("a session was used without a context")

// Find implements scs.Store, which asks for it beside FindCtx.
func (s *sessionStore) Find(string) ([]byte, bool, error) { return nil, false, errNoContext }

// Commit implements scs.Store.
func (s *sessionStore) Commit(string, []byte, time.Time) error { return errNoContext }

// Delete implements scs.Store.
func (s *sessionStore) Delete(string) error { return errNoContext }

// broken answers a request whose session can't be read or written.
func (a *Auth) broken(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		slog.Error("session", "error", err)
	}
	http.Error(w, "The panel can't answer now. Try again in a moment.", http.StatusServiceUnavailable)
}
