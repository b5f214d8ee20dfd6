package auth

import (
	"context"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// The way back for who has lost passkeys, authenticator and recovery codes. Somebody who
// administers the account takes its second factors away (ResetFactors); where there is
// nobody above, whoever has the panel's database makes a link (RecoveryLink). Either way
// the account has to set one up at its next sign-in.

// FactorsOf tells whoever may see an account what it has to sign in with.
func (a *Auth) FactorsOf(ctx context.Context, by hosting.Actor, id hosting.ID) (Factors, error) {
	u, err := a.store.User(ctx, id)
	if err != nil {
		return Factors{}, err
	}
	if err := hosting.May(by, hosting.RightUserView, u.Object()); err != nil {
		return Factors{}, err
	}
	return a.factors(ctx, u)
}

// ResetFactors takes the second factors of another's account away and ends its sessions.
// Who asks proves anew who it is, by its own password: a browser that was left open and a
// token that was stolen open nobody's account. A wrong one is Invalid.
func (a *Auth) ResetFactors(ctx context.Context, by hosting.Actor, id hosting.ID, password, language string) error {
	u, err := a.store.User(ctx, id)
	if err != nil {
		return err
	}
	if err := hosting.May(by, hosting.RightUserFactors, u.Object()); err != nil {
		return err
	}
	if err := a.proveAnew(ctx, by, password); err != nil {
		return err
	}
	return a.post(ctx, func(tx hosting.Tx) error {
		u, err := tx.User(ctx, id)
		if err != nil {
			return err
		}
		if err := hosting.May(by, hosting.RightUserFactors, u.Object()); err != nil {
			return err
		}
		had, err := a.takeFactors(ctx, tx, u, language)
		if err != nil {
			return err
		}
		if !had {
			return &hosting.Error{Code: hosting.Conflict, Message: u.Email + " has no second factor.", Mend: "Nothing is to be taken away: the password alone signs in."}
		}
		if err := tx.DeleteSessions(ctx, u.ID, ""); err != nil {
			return err
		}
		return hosting.Record(ctx, tx, by, a.now(), hosting.Deed{Did: string(hosting.RightUserFactors), Object: u.Email, On: u.Object()})
	})
}

// proveAnew looks at the password of who acts. Who has none came by a company's provider,
// and that must have been lately and in this browser.
func (a *Auth) proveAnew(ctx context.Context, by hosting.Actor, password string) error {
	login, err := a.store.Login(ctx, by.ID)
	if err != nil {
		return err
	}
	if login.PasswordHash == "" {
		if visitOf(ctx).session != "" { // a program has none
			if u, err := a.self(ctx); err == nil && u.ID == by.ID {
				return nil
			}
		}
		return &hosting.Error{Code: hosting.Conflict, Message: "You have no password that could prove who you are, and signed in too long ago.",
			Mend: "Sign in again by your company, and do it on the account's page within a quarter of an hour."}
	}
	key := "account " + hosting.SecretHash(by.Email)
	if err := a.count(ctx, map[string]int64{key: perAccount}); err != nil {
		return err
	}
	if len(password) > maxPassword || !a.verify(login.PasswordHash, password) {
		return &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "password", Message: "The password is wrong."}}}
	}
	return a.remember(ctx, key, login, password)
}

// takeFactors takes an account's second factors away, and tells whether there were any. It
// asks for a mail that tells the account's owner, where the panel sends mail.
func (a *Auth) takeFactors(ctx context.Context, tx hosting.Tx, u *hosting.User, language string) (had bool, err error) {
	login, err := tx.Login(ctx, u.ID)
	if err != nil {
		return false, err
	}
	keys, err := tx.Passkeys(ctx, u.ID)
	if err != nil {
		return false, err
	}
	if len(keys) == 0 && len(login.TOTP) == 0 {
		return false, nil
	}
	for _, k := range keys {
		if err := tx.DeletePasskey(ctx, u.ID, k.ID); err != nil {
			return true, err
		}
	}
	login.TOTP, login.Recovery, login.Enrol = nil, nil, true
	if err := tx.PutLogin(ctx, login); err != nil {
		return true, err
	}
	if err := tx.DeleteBrowsers(ctx, u.ID, ""); err != nil {
		return true, err
	}
	if err := tx.ClearTries(ctx, codeKey(u.ID)); err != nil {
		return true, err
	}
	return true, a.tell(ctx, tx, u, hosting.MailFactors, language)
}

// RecoveryLink returns a token with which an account sets its password anew and loses its
// second factors, on the word of whoever has the panel's database: the last administrator
// has nobody else to ask. Until somebody follows the link nothing changes.
func (a *Auth) RecoveryLink(ctx context.Context, email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	var token string
	err := a.store.Write(ctx, func(tx hosting.Tx) error {
		u, err := tx.UserByEmail(ctx, email)
		if hosting.CodeOf(err) == hosting.NotFound {
			return &hosting.Error{Code: hosting.NotFound, Message: "There is no account of " + email + ".", Err: err}
		}
		if err != nil {
			return err
		}
		if token, err = a.give(ctx, tx, hosting.Token{Kind: hosting.TokenRecover, User: u.ID}, resetLife); err != nil {
			return err
		}
		return hosting.Record(ctx, tx, hosting.Actor{Name: "panel link"}, a.now(), hosting.Deed{Did: "recover.made", Object: u.Email, On: u.Object()})
	})
	return token, err
}
