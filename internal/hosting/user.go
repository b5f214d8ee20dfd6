package hosting

import "time"

// User is an account.
type User struct {
	ID    ID
	Email string // lower case; unique
	Name  string
	Role  Role
	// Reseller is whose customer this is; empty for the provider's own.
	Reseller ID
	// Package says how much the account may use; empty for administrators and
	// collaborators, who have no sites of their own.
	Package ID
	// Suspended: the account can't sign in and its sites answer 503.
	Suspended bool
	CreatedAt time.Time

	// Filled in by reading.
	PackageName       string `json:"-"`
	Sites             int64  `json:"-"`
	ResellerSuspended bool   `json:"-"`
}

// Stopped tells whether the account can't be used, for its own or its reseller's
// suspension.
func (u *User) Stopped() bool { return u.Suspended || u.ResellerSuspended }

// Object is what a decision about the account needs.
func (u *User) Object() Object {
	return Object{Owner: u.ID, Reseller: u.Reseller, OwnerRole: u.Role}
}

// NewUser is a request for an account. Who has no password yet gets one by an
// invitation.
type NewUser struct {
	Email, Name string
	Role        Role
	Package     ID
	// Reseller is for administrators to say; a reseller's customers are its own.
	Reseller ID
}

// UserChange is a request to change an account; nil leaves as it is.
type UserChange struct {
	Email, Name *string
	Package     *ID
}

// UserQuery says which accounts are wanted, ordered by e-mail address.
type UserQuery struct {
	Search   string // a part of name or address
	Role     Role   // "" for all
	Reseller ID     // "" for all that the actor may see
	After    string // the address that the page before ended with
	Limit    int    // 0 for 50; at most 200

	// Only and Customers narrow to what the actor may see; set by rules.
	Only ID
}

// Page is a part of a list. Next is empty on the last one, and otherwise the
// After of the page that follows.
type Page[T any] struct {
	Items []T
	Next  string
	Total int64
}

const (
	pageDefault = 50
	pageMost    = 200
)

// limit returns how many items a page shall have.
func limit(asked int) int {
	if asked <= 0 {
		return pageDefault
	}
	return min(asked, pageMost)
}

// page cuts what was read, one item more than asked, into a page.
func page[T any](items []T, most int, total int64, key func(T) string) Page[T] {
	p := Page[T]{Items: items, Total: total}
	if len(items) > most {
		p.Items = items[:most]
		p.Next = key(items[most-1])
	}
	return p
}
