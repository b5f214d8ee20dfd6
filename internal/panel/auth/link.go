package auth

import (
	"context"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Links carry their token behind a #, which browsers send to nobody and write into
// no log; the page's script puts it into the form.

// give makes a token of a kind for an account, in place of earlier ones, and returns its
// secret.
func (a *Auth) give(ctx context.Context, tx hosting.Tx, t hosting.Token, life time.Duration) (string, error) {
	if err := tx.DeleteTokens(ctx, t.User, t.Kind); err != nil {
		return "", err
	}
	secret := hosting.NewSecret()
	t.ID, t.Name, t.Hash, t.CreatedAt, t.ExpiresAt = hosting.NewID(), string(t.Kind), hosting.SecretHash(secret), a.now(), a.now().Add(life)
	return secret, tx.InsertToken(ctx, &t)
}

// valid returns a token that has not expired.
func (a *Auth) valid(ctx context.Context, r hosting.Reader, token string, kinds ...hosting.TokenKind) (*hosting.Token, error) {
	for _, kind := range kinds {
		t, err := r.Token(ctx, kind, hosting.SecretHash(token))
		if err == nil && t.ExpiresAt.After(a.now()) {
			return t, nil
		}
		if err != nil && hosting.CodeOf(err) != hosting.NotFound {
			return nil, err
		}
	}
	return nil, &hosting.Error{Code: hosting.SignIn, Message: "The link was used already, or has expired.", Mend: "Ask for another one."}
}

// FirstLink returns a token that makes the first administrator, and "" when there is
// one. An earlier token counts no more.
func (a *Auth) FirstLink(ctx context.Context) (string, error) {
	var token string
	err := a.store.Write(ctx, func(tx hosting.Tx) error {
		token = ""
		n, err := tx.Administrators(ctx)
		if err != nil || n > 0 {
			return err
		}
		token, err = a.give(ctx, tx, hosting.Token{Kind: hosting.TokenFirst}, firstLife)
		return err
	})
	return token, err
}

// NewAdministrator is the form of the first administrator.
type NewAdministrator struct{ Email, Name, Password string }

// ClaimFirst makes the first administrator and signs in.
func (a *Auth) ClaimFirst(ctx context.Context, token string, form NewAdministrator) (Stage, error) {
	if err := a.count(ctx, map[string]int64{a.byAddress(ctx): perAddress}); err != nil {
		return Nobody, err
	}
	if _, err := a.valid(ctx, a.store, token, hosting.TokenFirst); err != nil {
		return Nobody, err
	}
	u := &hosting.User{ID: hosting.NewID(), Role: hosting.Administrator, CreatedAt: a.now()}
	var fields []hosting.Field
	var err error
	if u.Email, err = hosting.ParseEmail(form.Email); err != nil {
		fields = append(fields, field("email", err))
	}
	if u.Name, err = hosting.ParsePersonName(form.Name); err != nil {
		fields = append(fields, field("name", err))
	}
	if err = a.acceptable(ctx, form.Password, form.Email, form.Name); err != nil {
		fields = append(fields, field("password", err))
	}
	if fields != nil {
		return Nobody, &hosting.Error{Code: hosting.Invalid, Fields: fields}
	}
	login, cookie := &hosting.Login{User: u.ID, PasswordHash: a.hash(form.Password)}, ""
	err = a.store.Write(ctx, func(tx hosting.Tx) error {
		n, err := tx.Administrators(ctx)
		if err != nil {
			return err
		}
		if _, err := a.valid(ctx, tx, token, hosting.TokenFirst); err != nil || n > 0 {
			return &hosting.Error{Code: hosting.SignIn, Message: "There is an administrator already.", Mend: "Sign in, or ask the administrator for an account.", Err: err}
		}
		if err := tx.InsertUser(ctx, u); err != nil {
			return err
		}
		if err := tx.PutLogin(ctx, login); err != nil {
			return err
		}
		if err := tx.DeleteTokens(ctx, "", hosting.TokenFirst); err != nil {
			return err
		}
		if err := a.recordIn(ctx, tx, u, "administrator.first"); err != nil {
			return err
		}
		cookie, err = a.meetByLink(ctx, tx, u)
		return err
	})
	if err != nil {
		return Nobody, err
	}
	keepBrowser(ctx, u.ID, cookie)
	return a.next(ctx, u, login, true)
}

// field makes a fault of a form out of a rule's sentence.
func field(name string, err error) hosting.Field {
	text := err.Error()
	return hosting.Field{Name: name, Message: strings.ToUpper(text[:1]) + text[1:] + "."}
}

// InviteLink returns a token with which an account sets its first password. Only who
// may change the account gets one, or who gave a collaborator all that it has: the
// token opens everything that was granted.
func (a *Auth) InviteLink(ctx context.Context, by hosting.Actor, id hosting.ID) (string, error) {
	return a.link(ctx, by, id, hosting.TokenInvite, inviteLife)
}

// ResetLink returns a token with which an account sets its password anew. Second
// factors stay.
func (a *Auth) ResetLink(ctx context.Context, by hosting.Actor, id hosting.ID) (string, error) {
	return a.link(ctx, by, id, hosting.TokenReset, resetLife)
}

func (a *Auth) link(ctx context.Context, by hosting.Actor, id hosting.ID, kind hosting.TokenKind, life time.Duration) (string, error) {
	var token string
	err := a.store.Write(ctx, func(tx hosting.Tx) error {
		u, err := tx.User(ctx, id)
		if err != nil {
			return err
		}
		if err := mayLink(ctx, tx, by, u); err != nil {
			return err
		}
		login, err := tx.Login(ctx, id)
		if err != nil {
			return err
		}
		if kind == hosting.TokenInvite && login.PasswordHash != "" {
			return &hosting.Error{Code: hosting.Conflict, Message: u.Email + " has a password already.", Mend: "They can sign in, or ask for another password."}
		}
		if token, err = a.give(ctx, tx, hosting.Token{Kind: kind, User: id}, life); err != nil {
			return err
		}
		return hosting.Record(ctx, tx, by, a.now(), hosting.Deed{Did: string(kind) + ".made", Object: u.Email, On: u.Object()})
	})
	return token, err
}

func mayLink(ctx context.Context, tx hosting.Tx, by hosting.Actor, u *hosting.User) error {
	refused := hosting.May(by, hosting.RightUserChange, u.Object())
	if refused == nil || u.Role != hosting.Collaborator {
		return refused
	}
	grants, err := tx.Grants(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		owner, err := tx.User(ctx, g.Customer)
		if err != nil {
			return err
		}
		if hosting.May(by, hosting.RightCollaboratorInvite, owner.Object()) != nil {
			return refused
		}
		refused = nil
	}
	return refused
}

// SetPassword sets a password with the token of an invitation, of a reset, or of a way
// back, which takes the second factors away as well; language is how its reader is told of
// either. Every session of the account ends; of browsers it knows this one alone.
func (a *Auth) SetPassword(ctx context.Context, token, password, language string) error {
	if err := a.count(ctx, map[string]int64{a.byAddress(ctx): perAddress}); err != nil {
		return err
	}
	t, err := a.valid(ctx, a.store, token, hosting.TokenInvite, hosting.TokenReset, hosting.TokenRecover)
	if err != nil {
		return err
	}
	u, err := a.store.User(ctx, t.User)
	if err != nil {
		return err
	}
	if err := a.acceptable(ctx, password, u.Email, u.Name); err != nil {
		return &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{field("password", err)}}
	}
	hash, cookie := a.hash(password), ""
	err = a.post(ctx, func(tx hosting.Tx) error {
		if _, err := a.valid(ctx, tx, token, t.Kind); err != nil {
			return err
		}
		for _, kind := range []hosting.TokenKind{hosting.TokenInvite, hosting.TokenReset, hosting.TokenRecover} {
			if err := tx.DeleteTokens(ctx, u.ID, kind); err != nil {
				return err
			}
		}
		if t.Kind == hosting.TokenRecover {
			if err := a.recovered(ctx, tx, u, language); err != nil {
				return err
			}
		}
		if err := a.replace(ctx, tx, u, newPassword{hash: hash, language: language}); err != nil {
			return err
		}
		if cookie, err = a.meetByLink(ctx, tx, u); err != nil {
			return err
		}
		return confirm(ctx, tx, t)
	})
	if err == nil {
		keepBrowser(ctx, u.ID, cookie)
	}
	return err
}

// recovered takes the second factors away of who came by the way back.
func (a *Auth) recovered(ctx context.Context, tx hosting.Tx, u *hosting.User, language string) error {
	had, err := a.takeFactors(ctx, tx, u, language)
	if err != nil || !had {
		return err
	}
	return a.recordIn(ctx, tx, u, "factors.taken")
}

// confirm notes that an account has the mail address that the link it followed was sent to.
func confirm(ctx context.Context, tx hosting.Tx, t *hosting.Token) error {
	if t.SentTo == "" {
		return nil
	}
	login, err := tx.Login(ctx, t.User)
	if err != nil {
		return err
	}
	login.Confirmed = t.SentTo
	return tx.PutLogin(ctx, login)
}

// newPassword is one that was chosen.
type newPassword struct {
	hash     string
	keep     string // the session that does not end; "" for none
	language string // of who chose it; "" for the account's own
}

// replace sets a password, ends all sessions but one, and forgets all browsers but that
// session's. Of another one than the first the owner is told.
func (a *Auth) replace(ctx context.Context, tx hosting.Tx, u *hosting.User, p newPassword) error {
	login, err := tx.Login(ctx, u.ID)
	if err != nil {
		return err
	}
	first := login.PasswordHash == ""
	login.PasswordHash = p.hash
	if err := tx.PutLogin(ctx, login); err != nil {
		return err
	}
	if err := tx.DeleteSessions(ctx, u.ID, p.keep); err != nil {
		return err
	}
	here := ""
	if p.keep != "" {
		here = browserID(ctx, u.ID)
	}
	if err := tx.DeleteBrowsers(ctx, u.ID, here); err != nil {
		return err
	}
	if err := tx.ClearTries(ctx, "account "+hosting.SecretHash(u.Email)); err != nil {
		return err
	}
	if err := a.recordIn(ctx, tx, u, "password.changed"); err != nil || first {
		return err
	}
	return a.tell(ctx, tx, u, hosting.MailPassword, p.language)
}
