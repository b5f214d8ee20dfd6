package hosting

import (
	"context"
	"time"
)

// Store keeps what the panel knows and the cluster does not: accounts, packages,
// who owns which site, sign-in data and the audit trail. What is missing is
// NotFound, what must be unique and is not Conflict.
type Store interface {
	Reader
	// Write runs do in a transaction that behaves as if no other ran meanwhile. do may
	// run several times, so it must change nothing but through tx.
	Write(ctx context.Context, do func(tx Tx) error) error
}

// Reader reads. Outside of a transaction each call sees what is committed.
type Reader interface {
	UserReader
	PackageReader
	SiteReader
	SignInReader
	MailReader
	IdentityReader
	ApplicationReader
	SettingsReader
	TrailReader
	OnceReader
	WebhookReader
	SampleReader
	SendingReader
	SweepReader
	FileJobReader
}

// Tx is one transaction of a Store.
type Tx interface {
	Reader
	UserWriter
	PackageWriter
	SiteWriter
	SignInWriter
	MailWriter
	OnceWriter
	WebhookWriter
	IdentityWriter
	ApplicationWriter
	SettingsWriter
	SampleWriter
	SendingWriter
	SweepWriter
	FileJobWriter
	// Append adds an entry to the audit trail and gives it its number and hash.
	Append(ctx context.Context, e *Entry) error
}

// UserReader reads accounts and what they were granted.
type UserReader interface {
	User(ctx context.Context, id ID) (*User, error)
	UserByEmail(ctx context.Context, email string) (*User, error)
	// Users returns one item more than the query's limit when there are more, and how
	// many there are in all.
	Users(ctx context.Context, q UserQuery) ([]User, int64, error)
	// UsersOfPackage returns every account that has a package.
	UsersOfPackage(ctx context.Context, id ID) ([]User, error)
	// Grants returns a collaborator's rights, GrantsOn who has rights on a customer's sites.
	Grants(ctx context.Context, collaborator ID) ([]Grant, error)
	GrantsOn(ctx context.Context, customer ID) ([]GrantedUser, error)
}

// UserWriter writes accounts and grants.
type UserWriter interface {
	InsertUser(ctx context.Context, u *User) error
	UpdateUser(ctx context.Context, u *User) error
	// DeleteUser removes an account with its sign-in data and grants. It returns
	// Conflict while sites, customers or packages of it are left.
	DeleteUser(ctx context.Context, id ID) error
	// SetGrant replaces what a collaborator may do on a site, or on all of a customer;
	// without actions it takes the grant away.
	SetGrant(ctx context.Context, collaborator ID, g Grant) error
}

// GrantedUser is a collaborator with one of its grants.
type GrantedUser struct {
	User  User
	Grant Grant
}

// PackageReader reads packages.
type PackageReader interface {
	Package(ctx context.Context, id ID) (*Package, error)
	// Packages returns those of a reseller, "" for the provider's, ordered by name.
	Packages(ctx context.Context, reseller ID) ([]Package, error)
}

// PackageWriter writes packages.
type PackageWriter interface {
	InsertPackage(ctx context.Context, p *Package) error
	UpdatePackage(ctx context.Context, p *Package) error
	DeletePackage(ctx context.Context, id ID) error
}

// SiteReader reads who owns which site.
type SiteReader interface {
	OwnedSite(ctx context.Context, name string) (*OwnedSite, error)
	// OwnedSites returns one item more than the query's limit when there are more, and
	// how many there are in all.
	OwnedSites(ctx context.Context, q SiteQuery) ([]OwnedSite, int64, error)
	// SiteNames returns all names that are taken for a site.
	SiteNames(ctx context.Context, site string) ([]string, error)
	// NameOwners returns for each of the names that belongs to a site the owner of it.
	NameOwners(ctx context.Context, names []string) (map[string]OwnedSite, error)
	// UsedBy sums what the sites of an account use, or with customers also those of
	// all its customers.
	UsedBy(ctx context.Context, owner ID, customers bool) (Amounts, error)
	// Unsettled returns every site but those that were changed since and rest on
	// nothing but time.
	Unsettled(ctx context.Context, since time.Time) ([]OwnedSite, error)
}

// SiteWriter writes who owns which site.
type SiteWriter interface {
	// InsertSite takes a site with all its names; Conflict when one is taken.
	InsertSite(ctx context.Context, s *OwnedSite) error
	UpdateSite(ctx context.Context, s *OwnedSite) error
	DeleteSite(ctx context.Context, name string) error
	// NoteVersion keeps which version of a site's Domain a panel made last.
	NoteVersion(ctx context.Context, name string, w Written) error
}

// TrailReader reads the audit trail.
type TrailReader interface {
	// Trail returns one entry more than the query's limit when there are more.
	Trail(ctx context.Context, q AuditQuery) ([]Entry, error)
	// WalkTrail gives every entry to see, the oldest first, and returns the number and
	// hash that the trail has to end with.
	WalkTrail(ctx context.Context, see func(*Entry) error) (seq int64, hash string, err error)
}
