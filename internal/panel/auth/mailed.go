package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/mail"
)

// Who signs in by password, without a second factor and with a browser that the account
// does not know, types a code that is mailed to it: a password that was stolen elsewhere
// opens nothing by itself. It is asked for after the password was right, so that nobody
// learns by it which accounts there are.
//
// The code is good for the sign-in that it was mailed for and no other: its hash is keyed by
// a secret that only that session has, and the session is encrypted in the store.

const (
	// codeDigits are some 26 bits. With five mails in a quarter of an hour and five tries for
	// each, somebody who has the password guesses one in about a hundred years.
	codeDigits  = 8
	mailedLife  = 10 * time.Minute // OWASP ASVS 5.0, 6.5.5
	mailedTries = 5
	perMailed   = 5 // mails to an account within window
	// mailedPause is how long a mail is given to arrive before there can be another.
	mailedPause = time.Minute
)

// mailsCodes tells whether new browsers are asked for a code.
func (a *Auth) mailsCodes() bool { return a.MailedCodes && a.Mailer != nil }

// Unguarded are the roles for whom a password may be all that somebody needs to sign in from
// anywhere.
func (a *Auth) Unguarded() []hosting.Role {
	if a.mailsCodes() {
		return nil
	}
	return slices.DeleteFunc(hosting.Roles(), func(role hosting.Role) bool { return a.must(role, true) })
}

// mailCode begins a session that waits for a code, and mails it. Nothing is begun where it
// can't be mailed.
func (a *Auth) mailCode(ctx context.Context, u *hosting.User, language string) error {
	code, err := a.sendCode(ctx, u, language)
	if err != nil {
		return err
	}
	secret := hosting.NewSecret()
	waits := &hosting.MailedCode{ID: hosting.SecretHash(secret), User: u.ID}
	a.fill(waits, secret, code)
	err = a.store.Write(ctx, func(tx hosting.Tx) error {
		if err := tx.InsertMailedCode(ctx, waits); err != nil {
			return err
		}
		return a.recordIn(ctx, tx, u, "sign-in.code-sent")
	})
	if err != nil {
		return err
	}
	if err := a.begin(ctx, u, Mailed); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyMailed, secret)
	return nil
}

// fill puts a new code in place of an earlier one.
func (a *Auth) fill(waits *hosting.MailedCode, secret, code string) {
	waits.Hash, waits.Wrong, waits.SentAt, waits.ExpiresAt = codeHash(secret, code), 0, a.now(), a.now().Add(mailedLife)
}

// codeHash is what is kept of a code.
func codeHash(secret, code string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(code))
	return hex.EncodeToString(h.Sum(nil))
}

// sendCode makes a code and mails it. It waits for the mail server, other than a link's mail,
// since who sits there can do nothing without it and should know when it does not come.
func (a *Auth) sendCode(ctx context.Context, u *hosting.User, language string) (string, error) {
	err := a.count(ctx, map[string]int64{mailedKey(u.ID): perMailed})
	if hosting.CodeOf(err) == hosting.Limited {
		return "", &hosting.Error{Code: hosting.Limited, Message: "Too many codes were mailed for this account.",
			Mend: "Wait a quarter of an hour, or sign in with a browser that you used before."}
	}
	if err != nil {
		return "", err
	}
	code, err := newCode()
	if err != nil {
		return "", err
	}
	v := visitOf(ctx)
	l := mail.Letter{Kind: mail.SignInCode, To: u.Email, Name: u.Name, Language: language, Code: code, Life: mailedLife,
		Asked: mail.Asked{At: a.now(), Agent: v.agent}}
	if v.address.IsValid() {
		l.Asked.Address = v.address.String()
	}
	if err := a.Mailer.Send(ctx, l); err != nil {
		return "", a.unsent(ctx, u, err)
	}
	return code, nil
}

// mailedKey counts the codes that are mailed to an account.
func mailedKey(user hosting.ID) string { return "mailed " + string(user) }

// unsent says that a code can't be mailed, and leaves a line where the account's people look
// when its address takes no mail.
func (a *Auth) unsent(ctx context.Context, u *hosting.User, err error) error {
	slog.WarnContext(ctx, "a code for a sign-in can't be mailed", "error", err)
	if _, refused := errors.AsType[*mail.Refused](err); refused {
		if err := a.store.Write(ctx, func(tx hosting.Tx) error { return a.recordIn(ctx, tx, u, "mail.refused") }); err != nil {
			return err
		}
	}
	return &hosting.Error{Code: hosting.Unreachable, Message: "This browser is new to your account, and the code that it takes can't be mailed right now.",
		Mend: "Try again in a few minutes, or ask who gave you your account for a link: it takes no code.", Err: err}
}

// newCode is as many random digits as codeDigits.
func newCode() (string, error) {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(codeDigits), nil)
	n, err := rand.Int(rand.Reader, most)
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%0*d", codeDigits, n), nil
}

// Mailed returns the address that the code went to which this sign-in waits for.
func (a *Auth) Mailed(ctx context.Context) (to string, err error) {
	u, err := a.person(ctx, Mailed)
	if err != nil {
		return "", err
	}
	return u.Email, nil
}

// MailAgain mails another code in place of the one that a sign-in waits for.
func (a *Auth) MailAgain(ctx context.Context, language string) error {
	u, err := a.person(ctx, Mailed)
	if err != nil {
		return err
	}
	secret := a.sessions.GetString(ctx, keyMailed)
	// Taken before it is sent, so that two at once send one.
	if err := a.store.Write(ctx, func(tx hosting.Tx) error {
		waits, err := a.waiting(ctx, tx, u, secret)
		if err != nil {
			return err
		}
		if a.now().Sub(waits.SentAt) < mailedPause {
			return &hosting.Error{Code: hosting.Limited, Message: "A code was mailed a moment ago.", Mend: "Look for it among unwanted mail too. After a minute you can have another."}
		}
		waits.SentAt = a.now()
		return tx.UpdateMailedCode(ctx, waits)
	}); err != nil {
		return err
	}
	code, err := a.sendCode(ctx, u, language)
	if err != nil {
		return err
	}
	a.putTime(ctx, keySeen) // the session waits as long again
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		waits, err := a.waiting(ctx, tx, u, secret)
		if err != nil {
			return err
		}
		a.fill(waits, secret, code)
		if err := tx.UpdateMailedCode(ctx, waits); err != nil {
			return err
		}
		return a.recordIn(ctx, tx, u, "sign-in.code-sent")
	})
}

// waiting returns the code that a sign-in waits for.
func (a *Auth) waiting(ctx context.Context, tx hosting.Tx, u *hosting.User, secret string) (*hosting.MailedCode, error) {
	c, err := tx.MailedCode(ctx, hosting.SecretHash(secret))
	if err == nil && c.User == u.ID {
		return c, nil
	}
	if err != nil && hosting.CodeOf(err) != hosting.NotFound {
		return nil, err
	}
	return nil, &hosting.Error{Code: hosting.SignIn, Message: "This sign-in took too long, or its code was used already.", Mend: "Begin it again.", Err: err}
}

// FinishMailed ends a sign-in that waits for a mailed code. The account knows the browser
// from then on.
func (a *Auth) FinishMailed(ctx context.Context, typed string) (Stage, error) {
	u, err := a.person(ctx, Mailed)
	if err != nil {
		return Nobody, err
	}
	if err := a.count(ctx, map[string]int64{a.byAddress(ctx): perAddress}); err != nil {
		return Nobody, err
	}
	login, err := a.store.Login(ctx, u.ID)
	if err != nil {
		return Nobody, err
	}
	stage, err := a.stageOf(ctx, u, login, true)
	if err != nil {
		return Nobody, err
	}
	cookie, err := a.spendMailed(ctx, u, typed)
	if err != nil {
		return Nobody, err
	}
	keepBrowser(ctx, u.ID, cookie)
	return stage, a.begin(ctx, u, stage)
}

// spendMailed uses up the code that a sign-in waits for, and returns what the browser has to
// bring from then on (keepBrowser).
func (a *Auth) spendMailed(ctx context.Context, u *hosting.User, typed string) (cookie string, err error) {
	secret := a.sessions.GetString(ctx, keyMailed)
	var refused error
	err = a.store.Write(ctx, func(tx hosting.Tx) error {
		waits, err := a.waiting(ctx, tx, u, secret)
		if err != nil {
			return err
		}
		if refused = a.misfit(waits, codeHash(secret, plainCode(typed))); refused != nil {
			waits.Wrong++ // counted although it is refused, so no error of the transaction
			if err := tx.UpdateMailedCode(ctx, waits); err != nil {
				return err
			}
			return a.recordIn(ctx, tx, u, "sign-in.code-refused")
		}
		if err := tx.DeleteMailedCode(ctx, waits.ID); err != nil {
			return err
		}
		if err := tx.ClearTries(ctx, mailedKey(u.ID)); err != nil {
			return err
		}
		cookie, err = a.meet(ctx, tx, u)
		return err
	})
	if err == nil && refused != nil {
		a.Count("refused")
		return "", refused
	}
	return cookie, err
}

// misfit says why what was typed does not end the sign-in that waits for a code.
func (a *Auth) misfit(waits *hosting.MailedCode, hash string) error {
	right := hmac.Equal([]byte(waits.Hash), []byte(hash)) // in constant time
	said := ""
	switch {
	case waits.Wrong >= mailedTries:
		said = "Too many wrong codes were typed, so the right one counts no more; have another one mailed."
	case !a.now().Before(waits.ExpiresAt):
		said = "The code is too old; have another one mailed."
	case !right:
		said = "The code is wrong. Only that of the last mail counts."
	default:
		return nil
	}
	return &hosting.Error{Code: hosting.SignIn, Fields: []hosting.Field{{Name: "code", Message: said}}}
}
