package hosting

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// IdentityProvider is a company's OpenID Connect provider, by which its people sign in.
type IdentityProvider struct {
	ID   ID
	Name string // on the button
	// Issuer is its address: where its /.well-known/openid-configuration is.
	Issuer   string
	ClientID string
	// Secret is the client's; the store keeps it encrypted, and the trail never has it.
	Secret []byte `json:"-"`
	// Domains are those of the mail addresses that it is believed about; never none.
	Domains []string
	// Role is that of accounts which are made for people who come the first time; "" makes
	// none, and only those come in who have an account. Package is a customer's.
	Role    Role
	Package ID
	// AsksFactor: it asks for a second factor itself, so that the panel need not.
	AsksFactor bool
}

// Identity is an account's name at a provider.
type Identity struct {
	Provider  ID
	Subject   string // the provider's, never given to anybody else (OIDC Core section 2)
	User      ID
	CreatedAt time.Time
}

// Claim is what a provider says of who signs in.
type Claim struct {
	Subject, Email, Name string
	// Verified: the provider knows that the address is theirs.
	Verified bool
	Address  netip.Addr
}

// IdentityReader reads providers and who is known by them.
type IdentityReader interface {
	IdentityProviders(ctx context.Context) ([]IdentityProvider, error)
	IdentityProvider(ctx context.Context, id ID) (*IdentityProvider, error)
	Identity(ctx context.Context, provider ID, subject string) (*Identity, error)
}

// IdentityWriter writes them.
type IdentityWriter interface {
	PutIdentityProvider(ctx context.Context, p *IdentityProvider) error
	// DeleteIdentityProvider removes it with what it knows accounts by; the accounts stay.
	DeleteIdentityProvider(ctx context.Context, id ID) error
	InsertIdentity(ctx context.Context, i *Identity) error
}

// IdentityProviders returns all of them to who runs the platform.
func (p *Provider) IdentityProviders(ctx context.Context, a Actor) ([]IdentityProvider, error) {
	if err := May(a, RightPlatformView, Object{}); err != nil {
		return nil, err
	}
	return p.Store.IdentityProviders(ctx)
}

// IdentityProvider returns one of them.
func (p *Provider) IdentityProvider(ctx context.Context, a Actor, id ID) (*IdentityProvider, error) {
	if err := May(a, RightPlatformView, Object{}); err != nil {
		return nil, err
	}
	found, err := p.Store.IdentityProvider(ctx, id)
	return found, seen(err)
}

// PutIdentityProvider makes a provider, or changes the one with its ID. Without a secret
// the former stays.
func (p *Provider) PutIdentityProvider(ctx context.Context, a Actor, want IdentityProvider) (*IdentityProvider, error) {
	if err := May(a, RightPlatformChange, Object{}); err != nil {
		return nil, err
	}
	fresh := want.ID == ""
	if err := want.check(fresh); err != nil {
		return nil, err
	}
	if fresh {
		want.ID = NewID()
	}
	return &want, p.write(ctx, a, func(tx Tx) (change, error) {
		c := change{did: RightPlatformChange, object: "identity provider " + want.Name, after: want}
		if fresh {
			c.made = string(want.ID)
		} else {
			was, err := tx.IdentityProvider(ctx, want.ID)
			if err != nil {
				return change{}, seen(err)
			}
			if err := p.expected(was.Version()); err != nil {
				return change{}, err
			}
			c.before = was
			if len(want.Secret) == 0 {
				want.Secret = was.Secret
			}
		}
		if want.Role == Customer {
			if err := fits(ctx, tx, &User{Role: Customer, Package: want.Package}); err != nil {
				return change{}, err
			}
		}
		return c, tx.PutIdentityProvider(ctx, &want)
	})
}

// maxClient bounds an ID and a secret of a client, which are printable (RFC 6749, appendix
// A.1 and A.2); no provider's come near it.
const maxClient = 1000

// check puts a provider's form in order, or says what is wrong with it.
func (i *IdentityProvider) check(fresh bool) error {
	var f faults
	var err error
	i.Name, err = ParsePersonName(i.Name)
	f.check("name", err)
	i.Issuer, err = parseIssuer(i.Issuer)
	f.check("issuer", err)
	i.checkClient(fresh, &f)
	var domains []string
	for _, d := range i.Domains {
		name, err := ParseName(d)
		if f.check("domains", err) && !slices.Contains(domains, name) {
			domains = append(domains, name)
		}
	}
	if i.Domains = domains; len(i.Domains) == 0 && len(f) == 0 {
		f.add("domains", "name the domains of the company's mail addresses: whoever signs in with another is refused")
	}
	if i.Role != "" && i.Role != Customer && i.Role != Administrator && i.Role != Collaborator {
		f.add("role", "accounts can be made for customers, collaborators and administrators; choose one of them, or nobody")
	}
	if i.Role != Customer {
		i.Package = ""
	}
	return f.err()
}

// checkClient judges what the provider gave the panel to be known by; who changes
// something else need not give the secret again.
func (i *IdentityProvider) checkClient(fresh bool, f *faults) {
	i.ClientID = strings.TrimSpace(i.ClientID)
	switch {
	case i.ClientID == "":
		f.add("client", "the client's ID is empty; copy it from the provider")
	case !oneLine(i.ClientID, maxClient):
		f.add("client", fmt.Sprintf("the client's ID must be one line of at most %d characters; copy it from the provider", maxClient))
	}
	switch {
	case fresh && len(i.Secret) == 0:
		f.add("secret", "the client's secret is empty; copy it from the provider")
	case !oneLine(string(i.Secret), maxClient):
		f.add("secret", fmt.Sprintf("the client's secret must be one line of at most %d characters; copy it from the provider", maxClient))
	}
}

// parseIssuer returns an issuer as OIDC Discovery section 2 wants it.
func parseIssuer(text string) (string, error) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is no provider's address; write it like https://login.company.example", text)
	}
	return text, nil
}

// DeleteIdentityProvider removes one. Its people keep their accounts, and sign in with
// what else they have.
func (p *Provider) DeleteIdentityProvider(ctx context.Context, a Actor, id ID) error {
	return p.write(ctx, a, func(tx Tx) (change, error) {
		if err := May(a, RightPlatformChange, Object{}); err != nil {
			return change{}, err
		}
		was, err := tx.IdentityProvider(ctx, id)
		if err != nil {
			return change{}, seen(err)
		}
		if err := p.expected(was.Version()); err != nil {
			return change{}, err
		}
		return change{did: RightPlatformChange, object: "identity provider " + was.Name, before: was}, tx.DeleteIdentityProvider(ctx, id)
	})
}

// Admit returns the account of who a provider says is there: the one that it knows
// already; else the one with the same verified address, in one of its domains; else a
// new one, where the provider makes accounts.
func (p *Provider) Admit(ctx context.Context, provider ID, c Claim) (*User, error) {
	var u *User
	err := p.Store.Write(ctx, func(tx Tx) error {
		by, err := tx.IdentityProvider(ctx, provider)
		if err != nil {
			return err
		}
		known, err := tx.Identity(ctx, by.ID, c.Subject)
		if err == nil {
			u, err = tx.User(ctx, known.User)
			return err
		}
		if CodeOf(err) != NotFound {
			return err
		}
		u, err = p.link(ctx, tx, by, c)
		return err
	})
	return u, err
}

// link makes the provider know an account.
func (p *Provider) link(ctx context.Context, tx Tx, by *IdentityProvider, c Claim) (*User, error) {
	email, err := ParseEmail(c.Email)
	_, domain, _ := strings.Cut(email, "@")
	if err != nil || !c.Verified || !slices.Contains(by.Domains, domain) {
		return nil, &Error{Code: Forbidden, Message: by.Name + " names no mail address of yours that this panel believes it.",
			Mend: "Sign in there with your company's address, or ask who runs this panel."}
	}
	u, err := tx.UserByEmail(ctx, email)
	if err != nil && CodeOf(err) == NotFound {
		u, err = p.provision(ctx, tx, by, c, email)
	}
	if err != nil {
		return nil, err
	}
	if u.Role == Collaborator { // any customer may have made the account, and followed its link
		login, err := tx.Login(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		if login.Confirmed != u.Email {
			if err := forgetLogin(ctx, tx, u, login); err != nil {
				return nil, err
			}
		}
	}
	if err := tx.InsertIdentity(ctx, &Identity{Provider: by.ID, Subject: c.Subject, User: u.ID, CreatedAt: p.Now()}); err != nil {
		return nil, err
	}
	who := Actor{ID: u.ID, Name: u.Name, Reseller: u.Reseller, Address: c.Address}
	return u, Record(ctx, tx, who, p.Now(), Deed{Did: "identity.linked", Object: u.Email, On: u.Object(), After: by.Name})
}

// provision makes an account for somebody whom a provider sent the first time.
func (p *Provider) provision(ctx context.Context, tx Tx, by *IdentityProvider, c Claim, email string) (*User, error) {
	if by.Role == "" {
		return nil, &Error{Code: Forbidden, Message: "There is no account of " + email + " here.", Mend: "Ask who runs this panel for one."}
	}
	u := &User{ID: NewID(), Email: email, Role: by.Role, Package: by.Package, CreatedAt: p.Now()}
	var err error
	if u.Name, err = ParsePersonName(c.Name); err != nil {
		u.Name, _, _ = strings.Cut(email, "@")
	}
	if err := tx.InsertUser(ctx, u); err != nil {
		return nil, err
	}
	who := Actor{ID: u.ID, Name: u.Name, Address: c.Address}
	return u, Record(ctx, tx, who, p.Now(), Deed{Did: string(RightUserCreate), Object: u.Email, On: u.Object(), After: u})
}
