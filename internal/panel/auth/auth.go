package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/go-webauthn/webauthn/webauthn"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/mail"
)

// How long things last.
const (
	// sessionLife and sessionIdle end a session whatever happens, and when nobody used
	// it (OWASP ASVS 5.0, 7.3).
	sessionLife = 7 * 24 * time.Hour
	sessionIdle = 12 * time.Hour
	// freshFor is how long after proving who one is one may change how that is proved.
	freshFor = 15 * time.Minute
	// halfFor is how long one may take between password and second factor.
	halfFor = 15 * time.Minute

	firstLife  = 24 * time.Hour
	inviteLife = 7 * 24 * time.Hour
	resetLife  = time.Hour
)

// Options are what the panel is told.
type Options struct {
	Provider *hosting.Provider
	// URL is the panel's own address, as browsers show it.
	URL *url.URL
	// Proxies are the addresses of proxies before the panel, the only ones whose
	// X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// SecondFactorFor are the roles that must have a second factor.
	SecondFactorFor []hosting.Role
	// Mailer hands in mail; nil: the panel sends none.
	Mailer Mailer
	// MailedCodes has who signs in by password alone, with a browser that is new to the
	// account, type a code that is mailed to it, where there is a Mailer.
	MailedCodes bool
	// PasswordAlone lets people in by password alone where no code can be mailed, unless
	// SecondFactorFor names their role. Without it all of them must have a second factor there.
	PasswordAlone bool
	// HTTP asks companies' providers; nil: as the system does, with its authorities.
	HTTP http.RoundTripper
	// Cost of a password's hash; zero for DefaultCost.
	Cost Cost
	// Breached tells whether a password was in a breach of some other service; nil: nobody
	// knows.
	Breached func(ctx context.Context, password string) (bool, error)
	// Count, when set, is told the outcome of each sign-in: done, refused or limited.
	Count func(outcome string)
	// Watch, when set, is told what people who signed in are refused. It must not wait.
	Watch func(Refusal)
}

// Mailer hands in one letter. Its error is mail.Refused when trying again is no use.
type Mailer interface {
	Send(ctx context.Context, l mail.Letter) error
}

// Auth knows who is asking.
type Auth struct {
	Options
	store    hosting.Store
	sessions *scs.SessionManager
	passkeys *webauthn.WebAuthn
	hashing  chan struct{} // has a place for each password that may be hashed at once
	decoy    string        // a hash that no password has
	posted   chan struct{} // wakes Deliver

	companies companies
}

// New prepares it.
func New(o Options) (*Auth, error) {
	if o.URL == nil || o.URL.Hostname() == "" {
		return nil, fmt.Errorf("the panel's URL %q has no host; write it like https://panel.example.com", o.URL)
	}
	if o.Cost == (Cost{}) {
		o.Cost = DefaultCost()
	}
	if o.Count == nil {
		o.Count = func(string) {}
	}
	origin := o.URL.Scheme + "://" + o.URL.Host
	passkeys, err := webauthn.New(&webauthn.Config{RPID: o.URL.Hostname(), RPDisplayName: "Kubepanel", RPOrigins: []string{origin}})
	if err != nil {
		return nil, fmt.Errorf("prepare passkeys of %s: %w", origin, err)
	}
	a := &Auth{Options: o, store: o.Provider.Store, passkeys: passkeys, hashing: make(chan struct{}, hashesAtOnce), posted: make(chan struct{}, 1)}
	if o.HTTP == nil {
		o.HTTP = http.DefaultTransport
	}
	a.companies = companies{http: &http.Client{Timeout: providerPatience, Transport: bounded{o.HTTP}, CheckRedirect: stay}, now: a.now, known: map[string]heard{}}
	a.decoy = decoy(o.Cost)
	a.sessions = scs.New()
	a.sessions.Store = &sessionStore{auth: a}
	a.sessions.Codec = codec{}
	a.sessions.Lifetime = sessionLife
	a.sessions.Cookie.Name = "__Host-session" // a name that no neighbour's site can set (RFC 6265bis section 4.1.3.2)
	a.sessions.Cookie.Secure, a.sessions.Cookie.HttpOnly = true, true
	a.sessions.ErrorFunc = a.broken
	return a, nil
}

func (a *Auth) now() time.Time { return a.Provider.Now() }

// must tells whether somebody must have a second factor: by their role, or since a password,
// if it is by that that they come, would be all that it takes. A company answers for whom it
// vouches for.
func (a *Auth) must(role hosting.Role, byPassword bool) bool {
	return slices.Contains(a.SecondFactorFor, role) || byPassword && !a.PasswordAlone && !a.mailsCodes()
}
