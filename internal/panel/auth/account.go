package auth

import (
	"context"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Session is a browser that is signed in, for its owner to see.
type Session struct {
	ID             string
	Address, Agent string
	CreatedAt      time.Time
	Current        bool
	Support        bool // somebody of the provider, for support
}

// Sessions returns those of who is signed in.
func (a *Auth) Sessions(ctx context.Context) ([]Session, error) {
	u, err := a.person(ctx, Done)
	if err != nil {
		return nil, err
	}
	return a.sessionsOf(ctx, u.ID)
}

func (a *Auth) sessionsOf(ctx context.Context, id hosting.ID) ([]Session, error) {
	kept, err := a.store.Sessions(ctx, id)
	if err != nil {
		return nil, err
	}
	var all []Session
	for _, s := range kept {
		_, values, err := codec{}.Decode(s.Data)
		if err != nil {
			return nil, err
		}
		if values[keyStage] == string(Done) && s.ExpiresAt.After(a.now()) {
			all = append(all, Session{ID: s.ID, Address: s.Address, Agent: s.Agent, CreatedAt: s.CreatedAt,
				Current: s.ID == visitOf(ctx).session, Support: values[keyBehind] != nil})
		}
	}
	return all, nil
}

// EndSession ends one of one's own sessions; another than this needs a fresh proof of who
// it is (OWASP ASVS 5.0, 7.5.2).
func (a *Auth) EndSession(ctx context.Context, id string) error {
	if id == visitOf(ctx).session {
		if _, err := a.owner(ctx, Done); err != nil {
			return err
		}
		return a.SignOut(ctx)
	}
	u, err := a.self(ctx)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		s, err := tx.Session(ctx, id)
		if err != nil {
			return err
		}
		if s.User != u.ID {
			return &hosting.Error{Code: hosting.NotFound, Message: "There is no such session."}
		}
		if err := tx.DeleteSession(ctx, id); err != nil {
			return err
		}
		return a.recordIn(ctx, tx, u, "session.ended")
	})
}

// EndSessions ends every session of another's account, and forgets its browsers: of somebody
// who has gone, or whose device is in other hands (OWASP ASVS 5.0, 7.4.5). Tokens of programs
// and the password stay.
func (a *Auth) EndSessions(ctx context.Context, by hosting.Actor, id hosting.ID) error {
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		u, err := tx.User(ctx, id)
		if err != nil {
			return err
		}
		if err := hosting.May(by, hosting.RightUserSuspend, u.Object()); err != nil {
			return err
		}
		if err := tx.DeleteSessions(ctx, id, ""); err != nil {
			return err
		}
		if err := tx.DeleteBrowsers(ctx, id, ""); err != nil {
			return err
		}
		return hosting.Record(ctx, tx, by, a.now(), hosting.Deed{Did: "sessions.ended", Object: u.Email, On: u.Object()})
	})
}

// ChangePassword sets another password; all other sessions end.
func (a *Auth) ChangePassword(ctx context.Context, old, password string) error {
	if err := a.Confirm(ctx, old); err != nil {
		return err
	}
	u, err := a.self(ctx)
	if err != nil {
		return err
	}
	if err := a.acceptable(ctx, password, u.Email, u.Name); err != nil {
		return &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{field("new-password", err)}}
	}
	hash := a.hash(password)
	return a.post(ctx, func(tx hosting.Tx) error {
		return a.replace(ctx, tx, u, newPassword{hash: hash, keep: visitOf(ctx).session})
	})
}

// ActAs goes on in this browser as another account, for support.
func (a *Auth) ActAs(ctx context.Context, id hosting.ID) error {
	actor, ok := ActorOf(ctx)
	if !ok {
		return signInFirst()
	}
	if _, err := a.Provider.ActAs(ctx, actor, id); err != nil {
		return err
	}
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyUser, string(id))
	a.sessions.Put(ctx, keyBehind, string(actor.ID))
	return nil
}

// ActAsEnd goes back to one's own account.
func (a *Auth) ActAsEnd(ctx context.Context) error {
	actor, ok := ActorOf(ctx)
	if !ok || actor.Behind == "" {
		return signInFirst()
	}
	if err := a.record(ctx, actor, "user.act-as.ended", actor.Email); err != nil {
		return err
	}
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyUser, string(actor.Behind))
	a.sessions.Remove(ctx, keyBehind)
	return nil
}

// Factors tells what an account has to sign in with.
type Factors struct {
	TOTP          bool
	RecoveryCodes int // that are left
	Passkeys      []hosting.Passkey
}

// Any tells whether there is a second factor at all.
func (f Factors) Any() bool { return f.TOTP || len(f.Passkeys) > 0 }

// FewCodes tells that somebody should ask for new recovery codes while one is left.
func (f Factors) FewCodes() bool { return f.Any() && f.RecoveryCodes <= fewCodes }

// Factors returns those of who is signed in.
func (a *Auth) Factors(ctx context.Context) (Factors, error) {
	u, err := a.person(ctx, Done, MustEnrol)
	if err != nil {
		return Factors{}, err
	}
	return a.factors(ctx, u)
}

func (a *Auth) factors(ctx context.Context, u *hosting.User) (Factors, error) {
	login, err := a.store.Login(ctx, u.ID)
	if err != nil {
		return Factors{}, err
	}
	keys, err := a.store.Passkeys(ctx, u.ID)
	return Factors{TOTP: len(login.TOTP) > 0, RecoveryCodes: len(login.Recovery), Passkeys: keys}, err
}

// Reads notes the language that who is signed in has the panel in, once for each session and
// when it becomes another. Support has one of its own, which says nothing of the account.
func (a *Auth) Reads(ctx context.Context, language string) error {
	if stage := StageOf(ctx); stage != Done && stage != MustEnrol {
		return nil
	}
	text := func(key string) string { return a.sessions.GetString(ctx, key) }
	id := hosting.ID(text(keyUser)) // empty where the session has just ended
	if id == "" || text(keyBehind) != "" || text(keyReads) == language {
		return nil
	}
	err := a.store.Write(ctx, func(tx hosting.Tx) error {
		login, err := tx.Login(ctx, id)
		if err != nil || login.Language == language {
			return err
		}
		login.Language = language
		return tx.PutLogin(ctx, login)
	})
	if err == nil {
		a.sessions.Put(ctx, keyReads, language)
	}
	return err
}

// Sweep removes what expired; to be called every few minutes.
func (a *Auth) Sweep(ctx context.Context) error {
	return a.store.Write(ctx, func(tx hosting.Tx) error { return tx.Sweep(ctx, a.now().Add(-window)) })
}
