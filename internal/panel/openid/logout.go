package openid

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// logoutLife is that of a logout token (OpenID Connect Back-Channel Logout 1.0, section
	// 4: two minutes at most).
	logoutLife = 2 * time.Minute
	// logoutsAtOnce is how many one panel tells at once, and logoutLease how long it may
	// take before another tries: longer than a try may last.
	logoutsAtOnce = 20
	logoutLease   = time.Minute
	// maxLogoutAnswer is what is read of an answer, so that its connection can be used again.
	maxLogoutAnswer = 4 << 10

	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
)

// logoutWaits are those before an application is told again; then it is given up, after
// about a day: sessions of applications end by themselves too.
func logoutWaits() []time.Duration {
	return []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 8 * time.Hour, 12 * time.Hour}
}

// logoutStatement is what an application is told (section 2.4).
type logoutStatement struct {
	Issuer   string              `json:"iss"`
	Subject  string              `json:"sub"`
	Audience string              `json:"aud"`
	IssuedAt *jwt.NumericDate    `json:"iat"`
	Expires  *jwt.NumericDate    `json:"exp"`
	ID       string              `json:"jti"`
	Session  string              `json:"sid"`
	Events   map[string]struct{} `json:"events"`
}

// TellLogouts tells applications of sessions that ended, those that are due, once. Any
// number of panels may: each logout is given to one.
func (p *Provider) TellLogouts(ctx context.Context) error {
	taken, err := p.takeLogouts(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, len(taken))
	var all sync.WaitGroup
	for i := range taken {
		all.Go(func() {
			app, err := p.store.Application(ctx, taken[i].Application)
			if err == nil {
				err = p.tell(ctx, app, &taken[i])
				errs[i] = p.told(context.WithoutCancel(ctx), app, &taken[i], err)
			} else if hosting.CodeOf(err) != hosting.NotFound { // it went with the application
				errs[i] = err
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// takeLogouts takes those that are due; nobody else gets them until the lease is over.
func (p *Provider) takeLogouts(ctx context.Context) ([]hosting.Logout, error) {
	due, err := p.store.DueLogouts(ctx, p.now(), 1) // most of the time there is none, which costs no transaction
	if err != nil || len(due) == 0 {
		return nil, err
	}
	err = p.store.Write(ctx, func(tx hosting.Tx) error {
		if due, err = tx.DueLogouts(ctx, p.now(), logoutsAtOnce); err != nil {
			return err
		}
		for i := range due {
			due[i].Tries++
			due[i].NextAt = p.now().Add(logoutLease)
			if err := tx.UpdateLogout(ctx, &due[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return due, err
}

// errUntold says why an application was not told, in words for the trail: where the
// panel's network ends is not among them.
type errUntold string

// Error implements error.
func (e errUntold) Error() string { return string(e) }

// tell tries once (section 2.5).
func (p *Provider) tell(ctx context.Context, app *hosting.Application, l *hosting.Logout) error {
	if app.Logout == "" {
		return nil // nobody is to be told any more
	}
	token, err := p.signLogout(ctx, l)
	if err != nil {
		return err
	}
	body := url.Values{"logout_token": {token}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, app.Logout, strings.NewReader(body))
	if err != nil {
		return errUntold("The message could not be written.")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "Kubepanel-Logout")
	through := p.Outside
	if app.Inside {
		through = p.Inside
	}
	resp, err := through.Do(req)
	if err != nil {
		p.Log.WarnContext(ctx, "tell an application of a session that ended", "application", app.Name, "err", err)
		return errUntold("The address could not be reached.")
	}
	defer resp.Body.Close()                                         // it is read as far as it counts
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxLogoutAnswer)) //nolint:errcheck // what it says counts for nothing
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusMultipleChoices {
		return errUntold(fmt.Sprintf("The address answered %d %s.", resp.StatusCode, http.StatusText(resp.StatusCode)))
	}
	return nil
}

// signLogout makes a logout token. Each try has one of its own: the one before may have
// been taken although its answer was lost.
func (p *Provider) signLogout(ctx context.Context, l *hosting.Logout) (string, error) {
	key, err := p.signs(ctx)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: *key}, (&jose.SignerOptions{}).WithType("logout+jwt"))
	if err != nil {
		return "", err
	}
	now := p.now()
	return jwt.Signed(signer).Claims(logoutStatement{
		Issuer: p.Issuer(), Subject: string(l.User), Audience: string(l.Application), IssuedAt: jwt.NewNumericDate(now), Expires: jwt.NewNumericDate(now.Add(logoutLife)),
		ID: rand.Text(), Session: l.ID, Events: map[string]struct{}{logoutEvent: {}},
	}).Serialize()
}

// told notes what became of a try.
func (p *Provider) told(ctx context.Context, app *hosting.Application, tried *hosting.Logout, failed error) error {
	return p.store.Write(ctx, func(tx hosting.Tx) error {
		l, err := tx.Logout(ctx, tried.ID)
		if err != nil && hosting.CodeOf(err) == hosting.NotFound || err == nil && l.Tries != tried.Tries {
			return nil // it went with the application, or somebody tried again meanwhile
		}
		if err != nil {
			return err
		}
		if failed != nil && l.Tries <= len(logoutWaits()) {
			l.NextAt = p.now().Add(logoutWaits()[l.Tries-1])
			return tx.UpdateLogout(ctx, l)
		}
		if err := tx.DeleteLogout(ctx, l.ID); err != nil || failed == nil && app.Logout == "" {
			return err
		}
		deed := hosting.Deed{Did: "application.sign-out", Object: app.Called(), On: hosting.Object{Owner: l.User}}
		if failed != nil {
			deed.Did, deed.After = "application.sign-out-failed", map[string]any{"said": failed.Error(), "tries": l.Tries}
		}
		if u, err := tx.User(ctx, l.User); err == nil {
			deed.On.Reseller = u.Reseller
		} else if hosting.CodeOf(err) != hosting.NotFound { // deleted with its sessions
			return err
		}
		return hosting.Record(ctx, tx, hosting.Actor{Name: "panel"}, p.now(), deed)
	})
}
