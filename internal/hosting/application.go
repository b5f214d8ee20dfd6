package hosting

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Application is a program beside the panel, such as Grafana, that lets in who signs in by
// the panel: a client in the words of OpenID Connect.
type Application struct {
	ID   ID
	Name string
	// Redirects are the addresses that people are sent back to; compared letter by letter
	// (RFC 9700 section 2.1). Farewells are those after signing out.
	Redirects, Farewells []string
	// Logout is the address that is told when somebody's session ends (OpenID Connect
	// Back-Channel Logout 1.0 section 2.2); empty for none. Inside: it may be one that is not
	// public, where webhooks never lead.
	Logout string
	Inside bool
	// Roles are those whose accounts it lets in; never none.
	Roles []Role
	// Public: it runs where it can keep no secret, such as on people's own computers, and
	// has none (RFC 6749 section 2.1). It was chosen when the application was made.
	Public bool
	// SecretHash is what is kept of its secret; empty for a public one.
	SecretHash string `json:"-"`
	CreatedAt  time.Time
}

// Admits tells whether accounts of a role may sign in to it.
func (a *Application) Admits(role Role) bool { return slices.Contains(a.Roles, role) }

// Version names what can be changed of the application, as it is now.
func (a *Application) Version() string {
	parts := []string{string(a.ID), a.Name, a.SecretHash, a.Logout, strconv.FormatBool(a.Inside)}
	for _, list := range [][]string{a.Redirects, a.Farewells} {
		parts = append(append(parts, list...), "")
	}
	for _, role := range a.Roles {
		parts = append(parts, string(role))
	}
	return version(parts...)
}

// Owns tells whether a secret is the application's, in the same time for each. That of a
// public one is none.
func (a *Application) Owns(secret string) bool {
	if a.Public {
		return secret == ""
	}
	return a.SecretHash != "" && subtle.ConstantTimeCompare([]byte(a.SecretHash), []byte(SecretHash(secret))) == 1
}

// Returns tells whether an address is one that people are sent back to. A program on
// somebody's computer listens where there is room, so that the port counts for no address
// of the computer itself (RFC 8252 section 7.3).
func (a *Application) Returns(to string) bool {
	return slices.Contains(a.Redirects, to) || a.Public && slices.ContainsFunc(a.Redirects, func(known string) bool {
		text, here := portless(known)
		other, there := portless(to)
		return here && there && text == other
	})
}

// portless returns an address without its port, and whether it is the computer's own, by
// number: a name may lead elsewhere.
func portless(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.User != nil {
		return "", false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return strings.Replace(text, "://"+u.Host, "://"+address.String(), 1), err == nil && address.IsLoopback()
}

// renew gives it another secret, and returns that.
func (a *Application) renew() string {
	secret := applicationPrefix + rand.Text() + rand.Text()
	a.SecretHash = SecretHash(secret)
	return secret
}

// applicationPrefix lets scanners of leaked secrets know ours.
const applicationPrefix = "kpa_"

// Pass is one sign-in to an application. It ends with the session of the browser that it
// came from, however it ends.
type Pass struct {
	ID, Application, User ID
	Session               string
	// CodeHash is what is kept of the code that the browser brings to the application.
	CodeHash string
	// Redirect, Challenge, Nonce and Scopes are what the application asked with.
	Redirect, Challenge, Nonce string
	Scopes                     []string
	// Factor: there was a second factor. ProvenAt is when it was proven who it is.
	Factor   bool
	ProvenAt time.Time
	// RedeemedAt is when the code was traded for tokens; the zero time before that.
	CreatedAt, RedeemedAt, ExpiresAt time.Time
}

// PassTokenKind says what a token of a pass is good for.
type PassTokenKind string

// Kinds of tokens of a pass.
const (
	PassAccess  PassTokenKind = "access"  // asking who it is
	PassRefresh PassTokenKind = "refresh" // once, for other tokens
)

// PassToken is a token that an application has; only its hash is kept.
type PassToken struct {
	Hash      string
	Pass      ID
	Kind      PassTokenKind
	ExpiresAt time.Time
	UsedAt    time.Time // of a refresh token, which counts once
}

// Logout is an application to be told when a session ends that somebody signed in to it
// from. It waits until the session is gone, however that ends.
type Logout struct {
	// ID is what the application knows the session by: the sid of tokens.
	ID                string
	Application, User ID
	Session           string // empty when it is gone
	Tries             int
	// NextAt is when it is tried next; while somebody tries, when that is given up.
	NextAt time.Time
}

// NewLogout makes the one of a pass. Neither the session nor another application can be
// told from its ID.
func NewLogout(p *Pass) *Logout {
	return &Logout{ID: SecretHash(p.Session + " " + string(p.Application)), Application: p.Application, User: p.User, Session: p.Session}
}

// SigningKey signs what the panel says of people to applications.
type SigningKey struct {
	ID string
	// Private is PKCS #8; the store keeps it encrypted.
	Private []byte
	// It signs from BeginsAt until EndsAt.
	BeginsAt, EndsAt time.Time
}

// ApplicationReader reads applications and who signed in to them.
type ApplicationReader interface {
	Application(ctx context.Context, id ID) (*Application, error)
	Applications(ctx context.Context) ([]Application, error)
	Pass(ctx context.Context, id ID) (*Pass, error)
	PassByCode(ctx context.Context, hash string) (*Pass, error)
	PassToken(ctx context.Context, kind PassTokenKind, hash string) (*PassToken, error)
	Logout(ctx context.Context, id string) (*Logout, error)
	// DueLogouts returns some whose session is gone and whose time has come, the oldest first.
	DueLogouts(ctx context.Context, at time.Time, most int) ([]Logout, error)
	// SigningKeys returns all, the one that begins first before the others.
	SigningKeys(ctx context.Context) ([]SigningKey, error)
}

// ApplicationWriter writes them.
type ApplicationWriter interface {
	PutApplication(ctx context.Context, a *Application) error
	// DeleteApplication removes it with all that was given to it.
	DeleteApplication(ctx context.Context, id ID) error
	InsertPass(ctx context.Context, p *Pass) error
	// RedeemPass notes when a pass was traded for tokens, and when it ends.
	RedeemPass(ctx context.Context, p *Pass) error
	// DeletePass ends a pass with its tokens.
	DeletePass(ctx context.Context, id ID) error
	InsertPassToken(ctx context.Context, t *PassToken) error
	UsePassToken(ctx context.Context, t *PassToken) error
	// InsertLogout does nothing where there is one with its ID.
	InsertLogout(ctx context.Context, l *Logout) error
	UpdateLogout(ctx context.Context, l *Logout) error
	DeleteLogout(ctx context.Context, id string) error
	InsertSigningKey(ctx context.Context, k *SigningKey) error
	DeleteSigningKey(ctx context.Context, id string) error
}

const (
	// mostRedirects bounds an application's addresses of each kind, maxRedirect the octets
	// of one.
	mostRedirects = 20
	maxRedirect   = 500
)

// check puts an application's form in order, or says what is wrong with it.
func (a *Application) check() error {
	var f faults
	var err error
	a.Name, err = ParsePersonName(a.Name)
	f.check("name", err)
	a.Redirects = checkRedirects(&f, "redirects", a.Redirects)
	a.Farewells = checkRedirects(&f, "farewells", a.Farewells)
	if len(a.Redirects) == 0 && len(f) == 0 {
		f.add("redirects", "name the address that people are sent back to; the application's own documentation has it")
	}
	f.check("logout", a.checkLogout())
	roles := a.Roles
	a.Roles = slices.DeleteFunc(Roles(), func(r Role) bool { return !slices.Contains(roles, r) })
	if len(a.Roles) == 0 {
		f.add("roles", "choose whose accounts may sign in")
	}
	return f.err()
}

// checkLogout puts the address in order that is told of sessions that end. Inside of a
// cluster it may be plain HTTP: what is sent there is signed, and opens nothing.
func (a *Application) checkLogout() error {
	a.Logout = strings.TrimSpace(a.Logout)
	if a.Logout == "" {
		a.Inside = false
		return nil
	}
	if a.Public {
		return errors.New("an application on people's own computers can't be told of sessions that end; leave the address out")
	}
	text := a.Logout
	if plain, ok := strings.CutPrefix(text, "http://"); ok && a.Inside {
		text = "https://" + plain
	}
	_, err := ParseRedirect(text)
	if err != nil {
		return fmt.Errorf("%q can't be told; write a whole address like https://grafana.example.com/logout/backchannel", a.Logout)
	}
	return nil
}

func checkRedirects(f *faults, field string, texts []string) []string {
	if len(texts) > mostRedirects {
		f.add(field, fmt.Sprintf("there can be %d addresses at most; leave some out", mostRedirects))
		return nil
	}
	var all []string
	for _, text := range texts {
		address, err := ParseRedirect(text)
		if f.check(field, err) && !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return all
}

// ParseRedirect returns an address that browsers may be sent to with what lets people in:
// HTTPS, or this computer for who develops. It stays as it was written, since it is
// compared letter by letter.
func ParseRedirect(text string) (string, error) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	bad := err != nil || len(text) > maxRedirect || u.Hostname() == "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(text, `*\#`) ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
	if bad || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return "", fmt.Errorf("%q can't be sent to; write a whole address like https://grafana.example.com/login/generic_oauth", text)
	}
	return text, nil
}

// loopback tells names that never leave the computer (RFC 8252 section 7.3).
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
