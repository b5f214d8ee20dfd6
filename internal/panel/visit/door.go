// Package visit leads people to phpMyAdmin, each signed in at the database of one
// site, under a name of its own: what a tenant's rows make of phpMyAdmin must not
// reach the panel.
//
// It hands over by a ticket that is good once, keeps what it knows of a visit in a
// cookie that only it can open, asks for every request whether session and right
// still stand, and passes the account on in headers that nobody else can set. It must
// never decide who may, nor keep a password.
package visit

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// ticketLife is how long the way from the panel's page to us may take.
	ticketLife = time.Minute
	// keepEvery is how often a visit that is used is made longer; shorter than
	// hosting.VisitIdle.
	keepEvery = 5 * time.Minute

	placeTicket = "ticket of a visit"
	placeVisit  = "cookie of a visit"
)

// Options are what the door needs.
type Options struct {
	Rules *hosting.Provider
	// Sessions tells who is signed in with a session now.
	Sessions func(ctx context.Context, session string) (hosting.Actor, error)
	// Seal and Unseal encrypt for a place what a browser carries.
	Seal, Unseal func(place string, data []byte) ([]byte, error)
	// Panel is the panel's own address, URL that of phpMyAdmin, as browsers show them.
	Panel, URL *url.URL
	// Upstream is where phpMyAdmin answers the panel, Transport how it is spoken to there.
	Upstream  *url.URL
	Transport http.RoundTripper
	Log       *slog.Logger
}

// Door is the way to phpMyAdmin.
type Door struct {
	Options

	proxy *httputil.ReverseProxy
	kept  keeping
}

// New prepares it. The two addresses must not have the same name.
func New(o Options) (*Door, error) {
	if o.URL.Hostname() == "" || o.URL.Hostname() == o.Panel.Hostname() {
		return nil, fmt.Errorf("phpMyAdmin's address %q must have a name of its own, apart from the panel's", o.URL)
	}
	d := &Door{Options: o}
	d.proxy = d.newProxy()
	return d, nil
}

// None says that there is no phpMyAdmin.
func None() error {
	return &hosting.Error{Code: hosting.NotFound, Message: "There is no phpMyAdmin here.", Mend: "Your provider can switch it on with the chart's images.phpmyadmin."}
}

// ticket is what the panel's page hands over.
type ticket struct {
	hosting.DatabaseVisit

	Until time.Time
}

// Open makes a visit and returns the ticket to it, which is good once and for a
// minute, wherever the panel runs.
func (d *Door) Open(ctx context.Context, a hosting.Actor, session, site string) (string, error) {
	v, err := d.Rules.OpenDatabase(ctx, a, session, site)
	if err != nil {
		return "", err
	}
	t := ticket{*v, d.Rules.Now().Add(ticketLife)}
	text, err := d.seal(placeTicket, t)
	if err != nil {
		return "", err
	}
	err = d.Rules.Store.Write(ctx, func(tx hosting.Tx) error {
		return tx.InsertToken(ctx, &hosting.Token{ID: hosting.NewID(), Kind: hosting.TokenVisit, User: a.ID, Name: v.Site,
			Hash: v.Access, CreatedAt: d.Rules.Now(), ExpiresAt: t.Until})
	})
	return text, err
}

// Address makes a visit as Open does, and returns where a browser begins it. The ticket is
// behind the #, which no server and no log sees.
func (d *Door) Address(ctx context.Context, a hosting.Actor, session, site string) (string, time.Time, error) {
	until := d.Rules.Now().Add(ticketLife)
	text, err := d.Open(ctx, a, session, site)
	to := *d.Panel
	to.Path, to.Fragment = PathBegin, text
	return to.String(), until, err
}

// redeem takes a ticket: the first one who brings it has it.
func (d *Door) redeem(ctx context.Context, text string) (*hosting.DatabaseVisit, error) {
	var t ticket
	if err := d.unseal(placeTicket, text, &t); err != nil {
		return nil, err
	}
	if !t.Until.After(d.Rules.Now()) {
		return nil, errUsed
	}
	err := d.Rules.Store.Write(ctx, func(tx hosting.Tx) error {
		row, err := tx.Token(ctx, hosting.TokenVisit, t.Access)
		if err != nil {
			return err
		}
		return tx.DeleteToken(ctx, row.User, row.ID)
	})
	if err != nil && hosting.CodeOf(err) == hosting.NotFound {
		return nil, errUsed
	}
	return &t.DatabaseVisit, err
}

var (
	errUsed   = errors.New("the ticket was used already, or is too old")
	errForged = errors.New("it was not made here")
)

func (d *Door) seal(place string, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sealed, err := d.Seal(place, plain)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

func (d *Door) unseal(place, text string, v any) error {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sealed) == 0 {
		return errForged
	}
	plain, err := d.Unseal(place, sealed)
	if err != nil {
		return errForged
	}
	return json.Unmarshal(plain, v)
}

// still tells whether a session is good for a visit to a site now. What can't be asked
// is an error.
func (d *Door) still(ctx context.Context, session, site string) (bool, error) {
	a, err := d.Sessions(ctx, session)
	if err == nil {
		_, err = d.Rules.VisitedSite(ctx, a, site)
	}
	switch code := hosting.CodeOf(err); {
	case err == nil:
		return true, nil
	case code == hosting.Internal || code == hosting.Unreachable:
		return false, err
	}
	return false, nil
}

// Sweep ends every visit whose session or right is gone.
func (d *Door) Sweep(ctx context.Context) error {
	return d.Rules.LeaveDatabases(ctx, func(session, site string) bool {
		ok, err := d.still(ctx, session, site)
		return ok || err != nil // asked again at the next turn
	})
}

// Leave ends the visits of a session that has just ended.
func (d *Door) Leave(ctx context.Context, session string) error {
	return d.Rules.LeaveDatabases(ctx, func(s, _ string) bool { return s != session })
}

// keeping remembers when visits were made longer.
type keeping struct {
	mu sync.Mutex
	at map[string]time.Time
}

// due tells whether a visit is to be made longer now, and that this is done.
func (k *keeping) due(access string, opened, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	last, known := k.at[access]
	if !known {
		last = opened
	}
	if now.Sub(last) < keepEvery {
		return false
	}
	if k.at == nil {
		k.at = map[string]time.Time{}
	}
	for other, at := range k.at {
		if now.Sub(at) > hosting.VisitLife {
			delete(k.at, other)
		}
	}
	k.at[access] = now
	return true
}
