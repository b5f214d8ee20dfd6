package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	maxPasskeys    = 20
	maxPasskeyName = 60
)

// holder is an account as the library knows it.
type holder struct {
	user *hosting.User
	keys []webauthn.Credential
}

func (h *holder) WebAuthnID() []byte                         { return []byte(h.user.ID) }
func (h *holder) WebAuthnName() string                       { return h.user.Email }
func (h *holder) WebAuthnDisplayName() string                { return h.user.Name }
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func (a *Auth) holder(ctx context.Context, u *hosting.User) (*holder, error) {
	kept, err := a.store.Passkeys(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	h := &holder{user: u}
	for _, k := range kept {
		var c webauthn.Credential
		if err := json.Unmarshal(k.Data, &c); err != nil {
			return nil, fmt.Errorf("read a passkey of %s: %w", u.ID, err)
		}
		h.keys = append(h.keys, c)
	}
	return h, nil
}

// BeginAddPasskey returns what the browser's navigator.credentials.create wants, as
// JSON.
func (a *Auth) BeginAddPasskey(ctx context.Context) ([]byte, error) {
	u, err := a.self(ctx)
	if err != nil {
		return nil, err
	}
	h, err := a.holder(ctx, u)
	if err != nil {
		return nil, err
	}
	if len(h.keys) >= maxPasskeys {
		return nil, &hosting.Error{Code: hosting.Conflict, Message: fmt.Sprintf("You have %d passkeys, which is the most there can be.", maxPasskeys), Mend: "Remove one first."}
	}
	options, challenge, err := a.passkeys.BeginRegistration(h,
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}),
		webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()))
	if err != nil {
		return nil, fmt.Errorf("begin a passkey: %w", err)
	}
	return a.challenge(ctx, challenge, options)
}

// challenge keeps a challenge in the session and returns what the browser is told.
func (a *Auth) challenge(ctx context.Context, challenge *webauthn.SessionData, options any) ([]byte, error) {
	data, err := json.Marshal(challenge)
	if err != nil {
		return nil, err
	}
	a.sessions.Put(ctx, keyPasskey, string(data))
	return json.Marshal(options)
}

// challenged returns the challenge and forgets it: it counts once.
func (a *Auth) challenged(ctx context.Context) (webauthn.SessionData, error) {
	var challenge webauthn.SessionData
	text := a.sessions.PopString(ctx, keyPasskey)
	if text == "" {
		return challenge, wrongPasskey(nil)
	}
	return challenge, json.Unmarshal([]byte(text), &challenge)
}

func wrongPasskey(err error) error {
	return &hosting.Error{Code: hosting.SignIn, Message: "The passkey was not accepted.", Mend: "Try again, or use another way to sign in.", Err: err}
}

// FinishAddPasskey keeps the passkey that the browser made; the request's body is its
// answer as JSON. An account without recovery codes gets them, which nobody can be shown
// again.
func (a *Auth) FinishAddPasskey(ctx context.Context, name string, r *http.Request) ([]string, error) {
	u, err := a.self(ctx)
	if err != nil {
		return nil, err
	}
	name, err = hosting.ParsePersonName(name)
	if err != nil || len(name) > maxPasskeyName {
		name = "Passkey"
	}
	h, err := a.holder(ctx, u)
	if err != nil {
		return nil, err
	}
	challenge, err := a.challenged(ctx)
	if err != nil {
		return nil, err
	}
	made, err := a.passkeys.FinishRegistration(h, challenge, r)
	if err != nil {
		return nil, wrongPasskey(err)
	}
	data, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	var codes []string
	err = a.post(ctx, func(tx hosting.Tx) error {
		if err := tx.PutPasskey(ctx, &hosting.Passkey{ID: keyID(made.ID), User: u.ID, Name: name, Data: data, CreatedAt: a.now()}); err != nil {
			return err
		}
		if codes, err = hasEnrolled(ctx, tx, u); err != nil {
			return err
		}
		if err := a.recordIn(ctx, tx, u, "passkey.added"); err != nil {
			return err
		}
		return a.tell(ctx, tx, u, hosting.MailPasskeyAdded, "")
	})
	if err != nil {
		return nil, err
	}
	return codes, a.enrolled(ctx, u)
}

// hasEnrolled notes that an account has a second factor now, and makes recovery codes
// where there are none.
func hasEnrolled(ctx context.Context, tx hosting.Tx, u *hosting.User) (codes []string, err error) {
	login, err := tx.Login(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	login.Enrol = false
	if len(login.Recovery) == 0 {
		codes, login.Recovery = recovery()
	}
	return codes, tx.PutLogin(ctx, login)
}

func keyID(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// BeginPasskey returns what the browser's navigator.credentials.get wants, as JSON.
// Nobody has to say who they are before.
func (a *Auth) BeginPasskey(ctx context.Context) ([]byte, error) {
	options, challenge, err := a.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, fmt.Errorf("begin a sign-in by passkey: %w", err)
	}
	return a.challenge(ctx, challenge, options)
}

// FinishPasskey signs in with the browser's answer in the request's body. A passkey
// that verified its user is two factors in one.
func (a *Auth) FinishPasskey(ctx context.Context, r *http.Request) error {
	if err := a.count(ctx, map[string]int64{a.byAddress(ctx): perAddress}); err != nil {
		return err
	}
	challenge, err := a.challenged(ctx)
	if err != nil {
		return err
	}
	var u *hosting.User
	found, used, err := a.passkeys.FinishPasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		var err error
		if u, err = a.store.User(ctx, hosting.ID(handle)); err != nil {
			return nil, err
		}
		return a.holder(ctx, u)
	}, challenge, r)
	if err != nil || found == nil {
		return wrongPasskey(err)
	}
	if used.Authenticator.CloneWarning {
		return wrongPasskey(fmt.Errorf("the counter of a passkey of %s went back: there may be two of it", u.ID))
	}
	if u.Stopped() {
		return &hosting.Error{Code: hosting.Forbidden, Message: "This account is suspended.", Mend: "Ask who gave it to you."}
	}
	if err := a.usedPasskey(ctx, u, used); err != nil {
		return err
	}
	if err := a.begin(ctx, u, Done); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyFactor, "1")
	return nil
}

// usedPasskey keeps the counter of a passkey.
func (a *Auth) usedPasskey(ctx context.Context, u *hosting.User, used *webauthn.Credential) error {
	data, err := json.Marshal(used)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		kept, err := tx.Passkey(ctx, keyID(used.ID))
		if err != nil {
			return err
		}
		kept.Data, kept.UsedAt = data, a.now()
		if err := tx.PutPasskey(ctx, kept); err != nil {
			return err
		}
		return a.recordIn(ctx, tx, u, "passkey.used")
	})
}

// Passkeys returns those of who is signed in.
func (a *Auth) Passkeys(ctx context.Context) ([]hosting.Passkey, error) {
	u, err := a.person(ctx, Done, MustEnrol)
	if err != nil {
		return nil, err
	}
	return a.store.Passkeys(ctx, u.ID)
}

// RemovePasskey removes one. Whoever must have a second factor keeps the last; recovery
// codes go with it.
func (a *Auth) RemovePasskey(ctx context.Context, id string) error {
	u, err := a.self(ctx)
	if err != nil {
		return err
	}
	return a.post(ctx, func(tx hosting.Tx) error {
		login, err := tx.Login(ctx, u.ID)
		if err != nil {
			return err
		}
		keys, err := tx.Passkeys(ctx, u.ID)
		if err != nil {
			return err
		}
		others := slices.ContainsFunc(keys, func(k hosting.Passkey) bool { return k.ID != id })
		if len(login.TOTP) == 0 && !others && a.must(u.Role, login.PasswordHash != "") {
			return lastFactor()
		}
		if err := tx.DeletePasskey(ctx, u.ID, id); err != nil {
			return err
		}
		if len(login.TOTP) == 0 && !others {
			login.Recovery = nil
			if err := tx.PutLogin(ctx, login); err != nil {
				return err
			}
		}
		if err := a.recordIn(ctx, tx, u, "passkey.removed"); err != nil {
			return err
		}
		return a.tell(ctx, tx, u, hosting.MailPasskeyRemoved, "")
	})
}
