package auth

import (
	"context"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// An account knows the browsers that somebody signed in with who had more than its
// password: a code that was mailed to it, or a link. Each has a cookie for each account, so
// that whoever had the browser before has nothing that counts for the next one.

const (
	// browserLife is how long a browser is known that nobody signs in with. Sessions end
	// after a week, so whoever uses the panel at all is seen that often; a month is a holiday,
	// and a computer that was sold or lent is forgotten with it.
	browserLife = 30 * 24 * time.Hour
	// maxBrowsers is how many an account knows; of more those that were used last.
	maxBrowsers = 30
	// cookieName is how much of a hash tells accounts apart in the names of cookies.
	cookieName = 16
)

// Browser is one that an account knows, for its owner to see.
type Browser struct {
	hosting.Browser

	Current bool
}

// browserCookie is the name of the cookie by which an account knows a browser again.
func browserCookie(user hosting.ID) string {
	return "__Host-browser-" + hosting.SecretHash("browser of " + string(user))[:cookieName]
}

// browserID is what an account would know the browser of a request by, "" when the browser
// says nothing.
func browserID(ctx context.Context, user hosting.ID) string {
	asked := visitOf(ctx).asked
	if asked == nil {
		return ""
	}
	c, err := asked.Cookie(browserCookie(user))
	if err != nil || c.Value == "" {
		return ""
	}
	return hosting.SecretHash(c.Value)
}

// keepBrowser has the browser of a request bring a secret from now on.
func keepBrowser(ctx context.Context, user hosting.ID, secret string) {
	v := visitOf(ctx)
	if v.answer == nil || secret == "" {
		return
	}
	c := http.Cookie{Name: browserCookie(user), Value: secret, Path: "/", MaxAge: int(browserLife.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	v.answer.Add("Set-Cookie", c.String())
}

// recognise tells whether an account knows the browser of a request, and knows it for
// longer then.
func (a *Auth) recognise(ctx context.Context, u *hosting.User) (bool, error) {
	id, known := browserID(ctx, u.ID), false
	if id == "" {
		return false, nil
	}
	err := a.store.Write(ctx, func(tx hosting.Tx) error {
		known = false
		b, err := tx.Browser(ctx, id)
		if err != nil {
			return unlessMissing(err)
		}
		if b.User != u.ID || !a.now().Before(b.ExpiresAt) {
			return nil
		}
		known = true
		a.seen(ctx, b)
		return tx.UpdateBrowser(ctx, b)
	})
	if err != nil || !known {
		return false, err
	}
	c, err := visitOf(ctx).asked.Cookie(browserCookie(u.ID))
	if err != nil {
		return false, err
	}
	keepBrowser(ctx, u.ID, c.Value)
	return true, nil
}

// seen notes how a browser is used now.
func (a *Auth) seen(ctx context.Context, b *hosting.Browser) {
	v := visitOf(ctx)
	b.Agent, b.UsedAt, b.ExpiresAt = v.agent, a.now(), a.now().Add(browserLife)
	if b.Address = ""; v.address.IsValid() {
		b.Address = v.address.String()
	}
}

// meet has an account know the browser of a request, and returns what that has to bring for
// it (keepBrowser), once the transaction is done.
func (a *Auth) meet(ctx context.Context, tx hosting.Tx, u *hosting.User) (secret string, err error) {
	known, err := tx.Browsers(ctx, u.ID)
	if err != nil {
		return "", err
	}
	for _, b := range known[min(len(known), maxBrowsers-1):] {
		if err := tx.DeleteBrowser(ctx, u.ID, b.ID); err != nil {
			return "", err
		}
	}
	secret = hosting.NewSecret()
	b := &hosting.Browser{ID: hosting.SecretHash(secret), User: u.ID, CreatedAt: a.now()}
	a.seen(ctx, b)
	if err := tx.InsertBrowser(ctx, b); err != nil {
		return "", err
	}
	return secret, a.recordIn(ctx, tx, u, "browser.known")
}

// meetByLink is meet for who followed a link that signs in without a code: it was mailed to
// the account, or handed over by who gave it.
func (a *Auth) meetByLink(ctx context.Context, tx hosting.Tx, u *hosting.User) (secret string, err error) {
	if !a.mailsCodes() {
		return "", nil
	}
	login, err := tx.Login(ctx, u.ID)
	if err != nil {
		return "", err
	}
	if has, err := hasFactor(ctx, tx, login); err != nil || has {
		return "", err
	}
	return a.meet(ctx, tx, u)
}

// Browsers returns those that know who is signed in, and whether they count: an account
// with a second factor is asked for that instead.
func (a *Auth) Browsers(ctx context.Context) (all []Browser, count bool, err error) {
	u, err := a.person(ctx, Done)
	if err != nil || !a.mailsCodes() {
		return nil, false, err
	}
	login, err := a.store.Login(ctx, u.ID)
	if err != nil {
		return nil, false, err
	}
	if has, err := hasFactor(ctx, a.store, login); err != nil || has {
		return nil, false, err
	}
	all, err = a.browsersOf(ctx, u.ID)
	return all, true, err
}

// BrowsersOf returns those of an actor, who may have come with a token.
func (a *Auth) BrowsersOf(ctx context.Context, by hosting.Actor) ([]Browser, error) {
	if err := hosting.May(by, hosting.RightSelfView, hosting.Object{Owner: by.ID}); err != nil {
		return nil, err
	}
	return a.browsersOf(ctx, by.ID)
}

func (a *Auth) browsersOf(ctx context.Context, user hosting.ID) ([]Browser, error) {
	kept, err := a.store.Browsers(ctx, user)
	if err != nil {
		return nil, err
	}
	here := browserID(ctx, user)
	all := make([]Browser, 0, len(kept))
	for _, b := range kept {
		if a.now().Before(b.ExpiresAt) {
			all = append(all, Browser{b, b.ID == here})
		}
	}
	return all, nil
}

// ForgetBrowser has one's account forget a browser, or all of them when none is named: the
// next sign-in with it asks for a code. It takes nothing from anybody, so it asks for no
// proof; sessions go on.
func (a *Auth) ForgetBrowser(ctx context.Context, id string) error {
	u, err := a.owner(ctx, Done)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx hosting.Tx) error {
		forget := func() error { return tx.DeleteBrowser(ctx, u.ID, id) }
		if id == "" {
			forget = func() error { return tx.DeleteBrowsers(ctx, u.ID, "") }
		}
		err := forget()
		if hosting.CodeOf(err) == hosting.NotFound {
			return &hosting.Error{Code: hosting.NotFound, Message: "Your account knows no such browser.", Err: err}
		}
		if err != nil {
			return err
		}
		return a.recordIn(ctx, tx, u, "browser.forgotten")
	})
}
