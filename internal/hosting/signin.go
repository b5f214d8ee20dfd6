package hosting

import (
	"context"
	"time"
)

// Login is how an account proves who it is. PasswordHash is argon2id in its usual
// text; TOTP is the seed, which the store keeps encrypted.
type Login struct {
	User         ID
	PasswordHash string // empty: no password yet
	TOTP         []byte // empty: none
	// TOTPStep is the last 30-second step whose code was used, so that none is used twice.
	TOTPStep int64
	// Recovery are SHA-256 hashes of the recovery codes that are left.
	Recovery []string
	// Confirmed is the mail address that the account was last seen to have: somebody
	// followed a link that was sent there. Empty: none was.
	Confirmed string
	// Enrol is set while its second factors are taken away: it has to set one up at its next
	// sign-in, whatever its role, since it would be worth less than before otherwise.
	Enrol bool
	// Language is the one that somebody last had the panel in (BCP 47), for mails that they do
	// not ask for themselves; empty: nobody was there yet.
	Language string
}

// Session is one signed-in browser.
type Session struct {
	ID   string // hash of the cookie's token; also its name in lists
	User ID     // empty before anybody signed in
	Data []byte // kept encrypted: it holds challenges and seeds that are not confirmed yet
	// Address and Agent are as they were at the last sign-in.
	Address, Agent       string
	CreatedAt, ExpiresAt time.Time
}

// Browser is one that somebody signed in with by password and that the account knows since:
// it is not asked for a mailed code.
type Browser struct {
	ID   string // hash of the cookie's secret; also its name in lists
	User ID
	// Address and Agent are as they were at the last sign-in.
	Address, Agent               string
	CreatedAt, UsedAt, ExpiresAt time.Time
}

// MailedCode is what somebody who signs in with a new browser was mailed, and has to type.
type MailedCode struct {
	ID   string // hash of the secret of the sign-in that waits for it
	User ID
	Hash string // of the code, keyed by that secret: who reads the database can't find it by trying
	// Wrong is how many other codes were typed.
	Wrong             int64
	SentAt, ExpiresAt time.Time
}

// Passkey is one WebAuthn credential.
type Passkey struct {
	ID        string // base64url of the credential's id
	User      ID
	Name      string
	Data      []byte // the library's record, JSON: public key, counter, flags
	CreatedAt time.Time
	UsedAt    time.Time
}

// TokenKind says what a token opens.
type TokenKind string

// Kinds of tokens.
const (
	TokenAPI    TokenKind = "api"    // the REST API and the CLI
	TokenFirst  TokenKind = "first"  // makes the first administrator
	TokenInvite TokenKind = "invite" // sets an account's first password
	TokenReset  TokenKind = "reset"  // sets an account's password anew
	// TokenRecover sets the password anew and takes the second factors away.
	TokenRecover TokenKind = "recover"
	TokenVisit   TokenKind = "visit" // hands a look at a database over to the name that phpMyAdmin has
)

// Token is a secret that was given out; only its hash is kept.
type Token struct {
	ID        ID
	Kind      TokenKind
	User      ID
	Name      string
	Hash      string
	Scopes    []Right // nil: everything that the account may do
	SentTo    string  // the mail address that a link was sent to; empty for one that was shown
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

// SignInReader reads how accounts sign in.
type SignInReader interface {
	// Login returns an empty one for an account that has none yet.
	Login(ctx context.Context, user ID) (*Login, error)
	Session(ctx context.Context, id string) (*Session, error)
	Sessions(ctx context.Context, user ID) ([]Session, error)
	Browser(ctx context.Context, id string) (*Browser, error)
	// Browsers returns those of an account, the one that was used last first.
	Browsers(ctx context.Context, user ID) ([]Browser, error)
	MailedCode(ctx context.Context, id string) (*MailedCode, error)
	Passkey(ctx context.Context, id string) (*Passkey, error)
	Passkeys(ctx context.Context, user ID) ([]Passkey, error)
	Token(ctx context.Context, kind TokenKind, hash string) (*Token, error)
	Tokens(ctx context.Context, user ID, kind TokenKind) ([]Token, error)
	// Administrators counts accounts of that role.
	Administrators(ctx context.Context) (int64, error)
	// Tries returns how many tries of a key failed in the window that began at since.
	Tries(ctx context.Context, key string, since time.Time) (int64, error)
}

// SignInWriter writes how accounts sign in.
type SignInWriter interface {
	PutLogin(ctx context.Context, l *Login) error
	PutSession(ctx context.Context, s *Session) error
	// UpdateSession returns NotFound for a session that was ended meanwhile.
	UpdateSession(ctx context.Context, s *Session) error
	DeleteSession(ctx context.Context, id string) error
	// DeleteSessions ends those of an account but the one to keep.
	DeleteSessions(ctx context.Context, user ID, keep string) error
	InsertBrowser(ctx context.Context, b *Browser) error
	// UpdateBrowser returns NotFound for one that was forgotten meanwhile.
	UpdateBrowser(ctx context.Context, b *Browser) error
	DeleteBrowser(ctx context.Context, user ID, id string) error
	// DeleteBrowsers forgets those of an account but the one to keep.
	DeleteBrowsers(ctx context.Context, user ID, keep string) error
	InsertMailedCode(ctx context.Context, c *MailedCode) error
	// UpdateMailedCode returns NotFound for one that was used meanwhile.
	UpdateMailedCode(ctx context.Context, c *MailedCode) error
	DeleteMailedCode(ctx context.Context, id string) error
	PutPasskey(ctx context.Context, p *Passkey) error
	DeletePasskey(ctx context.Context, user ID, id string) error
	InsertToken(ctx context.Context, t *Token) error
	UpdateToken(ctx context.Context, t *Token) error
	DeleteToken(ctx context.Context, user ID, id ID) error
	// DeleteTokens removes every token of a kind that an account has.
	DeleteTokens(ctx context.Context, user ID, kind TokenKind) error
	AddTry(ctx context.Context, key string, at time.Time) error
	ClearTries(ctx context.Context, key string) error
	// Sweep removes what expired before a time.
	Sweep(ctx context.Context, before time.Time) error
}
