package auth

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/mail"
)

// Mail that was asked for waits in the store and is sent from there, so that it
// survives a restart, and nobody can tell by an answer or its time whether there is
// such an account. Its link is made when it is sent: the store never holds one.

const (
	// lease is how long one panel has for one try before another may make it: longer
	// than a try can last.
	lease = 2 * time.Minute
	// Waits between tries double from the first to the longest (RFC 5321 section 4.5.4.1
	// asks for 30 minutes; a person who waits for a link does not).
	firstWait   = 30 * time.Second
	longestWait = time.Hour
	// mailLife is how long an invitation is tried to be sent; a reset for as long as its
	// link would be good.
	mailLife = 3 * 24 * time.Hour
	// postEvery is how often mail is looked for that others asked for.
	postEvery = 5 * time.Second
	// perForgot is how many resets can be asked for one address, within window.
	perForgot = 3
	// perInvited is how many mails a person gets on others' word within window, and
	// perInviting how many an account that is no administrator's sends.
	perInvited, perInviting = 3, 60
)

// Mails tells whether the panel can send mail.
func (a *Auth) Mails() bool { return a.Mailer != nil }

func noMail() error {
	return &hosting.Error{Code: hosting.NotInstalled, Message: "The panel can't send mail.", Mend: "Ask who gave you your account for a link."}
}

// ForgotPassword asks for a mail with a link to set the password anew. Neither its
// answer nor its time tells whether there is such an account.
func (a *Auth) ForgotPassword(ctx context.Context, email, language string) error {
	if a.Mailer == nil {
		return noMail()
	}
	email, err := hosting.ParseEmail(email)
	if err != nil {
		return &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{field("email", err)}}
	}
	if err := a.count(ctx, map[string]int64{"forgot " + hosting.SecretHash(email): perForgot, a.byAddress(ctx): perAddress}); err != nil {
		return err
	}
	m := a.mail(ctx, hosting.MailReset, language)
	m.To, m.ExpiresAt = email, a.now().Add(resetLife)
	return a.post(ctx, func(tx hosting.Tx) error { return tx.InsertMail(ctx, m) })
}

// MailInvitation asks for a mail that brings an account its first password, or tells who
// has one already of new rights. Who may not make such a link may not have it mailed.
func (a *Auth) MailInvitation(ctx context.Context, by hosting.Actor, id hosting.ID, language string) error {
	if a.Mailer == nil {
		return noMail()
	}
	if err := a.mayMail(ctx, by, id); err != nil {
		return err
	}
	m := a.mail(ctx, hosting.MailInvite, language)
	m.User, m.ExpiresAt = id, a.now().Add(mailLife)
	return a.post(ctx, func(tx hosting.Tx) error {
		u, err := tx.User(ctx, id)
		if err != nil {
			return err
		}
		if err := mayLink(ctx, tx, by, u); err != nil {
			return err
		}
		if err := tx.InsertMail(ctx, m); err != nil {
			return err
		}
		return hosting.Record(ctx, tx, by, a.now(), hosting.Deed{Did: "invite.mailed", Object: u.Email, On: u.Object()})
	})
}

// mayMail refuses whoever has the provider's mail server send to strangers again and again.
func (a *Auth) mayMail(ctx context.Context, by hosting.Actor, id hosting.ID) error {
	err := a.store.Write(ctx, func(tx hosting.Tx) error { // who may not, counts for nobody
		u, err := tx.User(ctx, id)
		if err != nil {
			return err
		}
		return mayLink(ctx, tx, by, u)
	})
	if err != nil {
		return err
	}
	limits := map[string]int64{"invited " + string(id): perInvited}
	if by.Role != hosting.Administrator {
		limits["inviting "+string(by.ID)] = perInviting
	}
	err = a.count(ctx, limits)
	if hosting.CodeOf(err) == hosting.Limited {
		return &hosting.Error{Code: hosting.Limited, Message: "That was mailed several times just now.", Mend: "Wait a quarter of an hour before you have it mailed again."}
	}
	return err
}

func (a *Auth) mail(ctx context.Context, kind hosting.MailKind, language string) *hosting.Mail {
	m := &hosting.Mail{ID: hosting.NewID(), Kind: kind, Language: language, CreatedAt: a.now(), NextAt: a.now()}
	if at := AddressOf(ctx); at.IsValid() {
		m.Address = at.String()
	}
	return m
}

// post keeps a mail and wakes who sends it.
func (a *Auth) post(ctx context.Context, write func(tx hosting.Tx) error) error {
	if err := a.store.Write(ctx, write); err != nil {
		return err
	}
	select {
	case a.posted <- struct{}{}:
	default: // it is awake
	}
	return nil
}

// Deliver sends what is asked for until ctx ends. Several panels may do so on one
// database: each mail is tried by one of them at a time.
func (a *Auth) Deliver(ctx context.Context) {
	if a.Mailer == nil {
		return
	}
	tick := time.NewTicker(postEvery)
	defer tick.Stop()
	for {
		for more := true; more && ctx.Err() == nil; {
			var err error
			// What is begun is ended, also when the panel is told to stop: a mail that was taken
			// must not go out twice.
			if more, err = a.deliver(context.WithoutCancel(ctx)); err != nil {
				slog.Error("send mail", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.posted:
		}
	}
}

// deliver tries one mail, and tells whether there may be more to be tried now.
func (a *Auth) deliver(ctx context.Context) (more bool, err error) {
	m, err := a.claim(ctx)
	if err != nil || m == nil {
		return false, err
	}
	l, err := a.letter(ctx, m)
	if err != nil {
		return false, err // tried again when the lease ends
	}
	if l == nil {
		return true, a.finish(ctx, m)
	}
	err = a.Mailer.Send(ctx, *l)
	if err == nil {
		return true, a.finish(ctx, m)
	}
	if _, refused := errors.AsType[*mail.Refused](err); refused || !a.now().Before(m.ExpiresAt) {
		slog.Warn("a mail can't be sent and is given up", "kind", m.Kind, "tries", m.Tries, "error", err)
		return true, a.giveUp(ctx, m)
	}
	slog.Warn("a mail can't be sent yet", "kind", m.Kind, "tries", m.Tries, "error", err)
	m.NextAt = a.now().Add(min(firstWait<<min(m.Tries-1, 10), longestWait))
	return true, a.store.Write(ctx, func(tx hosting.Tx) error { return tx.UpdateMail(ctx, m) })
}

// claim takes one mail that is due for this panel to try; nil when there is none.
func (a *Auth) claim(ctx context.Context) (*hosting.Mail, error) {
	if _, err := a.store.DueMail(ctx, a.now()); err != nil { // a look costs no writer's time
		return nil, unlessMissing(err)
	}
	var m *hosting.Mail
	err := a.store.Write(ctx, func(tx hosting.Tx) (err error) {
		if m, err = tx.DueMail(ctx, a.now()); err != nil {
			m = nil
			return unlessMissing(err)
		}
		m.NextAt = a.now().Add(lease)
		m.Tries++
		return tx.UpdateMail(ctx, m)
	})
	return m, err
}

// giveUp forgets a mail that can't be sent, and leaves a line where its account's people
// look.
func (a *Auth) giveUp(ctx context.Context, m *hosting.Mail) error {
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		u, err := a.reader(ctx, tx, m)
		if err != nil {
			return err
		}
		if u != nil {
			if err := a.recordFrom(ctx, tx, u, "mail.refused", m.Address); err != nil {
				return err
			}
		}
		return tx.DeleteMail(ctx, m.ID)
	})
}

func (a *Auth) finish(ctx context.Context, m *hosting.Mail) error {
	return a.store.Write(ctx, func(tx hosting.Tx) error { return tx.DeleteMail(ctx, m.ID) })
}

// letter writes what a mail says, with a new link; nil when there is nobody to be told.
func (a *Auth) letter(ctx context.Context, m *hosting.Mail) (*mail.Letter, error) {
	var l *mail.Letter
	err := a.store.Write(ctx, func(tx hosting.Tx) error {
		l = nil
		u, err := a.reader(ctx, tx, m)
		if err != nil || u == nil || u.Stopped() || !a.now().Before(m.ExpiresAt) {
			return err
		}
		login, err := tx.Login(ctx, u.ID)
		if err != nil {
			return err
		}
		l = &mail.Letter{To: u.Email, Name: u.Name, Language: languageOf(m, login), Link: a.URL.JoinPath("sign-in").String()}
		kind := hosting.TokenReset
		switch {
		case m.Kind == hosting.MailFactors:
			l.Kind = mail.FactorsGone
			return nil
		case changes[m.Kind] != "":
			l.Kind, l.Link, l.Asked = changes[m.Kind], a.URL.JoinPath("account").String(), mail.Asked{At: m.CreatedAt, Address: m.Address}
			return nil
		case m.Kind == hosting.MailHarmful:
			l.Kind, l.About, l.Link = mail.Harmful, hosting.ShowName(m.To), a.URL.JoinPath("sites", m.To, "files", "findings").String()
			return nil
		case m.Kind == hosting.MailReset:
			l.Kind, l.Life = mail.Reset, resetLife
		case login.PasswordHash == "":
			kind, l.Kind, l.Life = hosting.TokenInvite, mail.Invite, inviteLife
		default:
			l.Kind = mail.Welcome
			return nil
		}
		token, err := a.give(ctx, tx, hosting.Token{Kind: kind, User: u.ID, SentTo: l.To}, l.Life)
		if err != nil {
			return err
		}
		l.Link = a.URL.JoinPath("password").String() + "#" + token
		if m.Kind == hosting.MailReset && m.Tries == 1 {
			return a.recordFrom(ctx, tx, u, "reset.asked", m.Address)
		}
		return nil
	})
	return l, err
}

// changes are the letters that tell of what somebody changed in how their own account signs in
// (OWASP ASVS 5.0, 6.3.7).
var changes = map[hosting.MailKind]mail.Kind{
	hosting.MailCodes:        mail.CodesNew,
	hosting.MailPasskeyAdded: mail.PasskeyAdded, hosting.MailPasskeyRemoved: mail.PasskeyRemoved,
	hosting.MailAppAdded: mail.AppAdded, hosting.MailAppRemoved: mail.AppRemoved,
	hosting.MailPassword: mail.PasswordNew,
}

// tell asks for a mail that tells an account's owner of something, where the panel sends mail;
// language is that of who did it, "" for the account's own.
func (a *Auth) tell(ctx context.Context, tx hosting.Tx, u *hosting.User, kind hosting.MailKind, language string) error {
	if a.Mailer == nil {
		return nil
	}
	m := a.mail(ctx, kind, language)
	m.User, m.ExpiresAt = u.ID, a.now().Add(mailLife)
	return tx.InsertMail(ctx, m)
}

// languageOf is what a mail is written in: as its reader asked for it, and where somebody
// else did or nobody, as its reader last had the panel.
func languageOf(m *hosting.Mail, login *hosting.Login) string {
	if slices.Contains([]hosting.MailKind{hosting.MailInvite, hosting.MailFactors, hosting.MailHarmful}, m.Kind) {
		return cmp.Or(login.Language, m.Language)
	}
	return cmp.Or(m.Language, login.Language)
}

// reader is the account that a mail is for, nil when there is none.
func (a *Auth) reader(ctx context.Context, tx hosting.Tx, m *hosting.Mail) (*hosting.User, error) {
	var u *hosting.User
	var err error
	if m.User != "" {
		u, err = tx.User(ctx, m.User)
	} else {
		u, err = tx.UserByEmail(ctx, m.To)
	}
	if err != nil {
		return nil, unlessMissing(err)
	}
	return u, nil
}

// unlessMissing is nil for what is not there.
func unlessMissing(err error) error {
	if err != nil && hosting.CodeOf(err) == hosting.NotFound {
		return nil
	}
	return err
}
