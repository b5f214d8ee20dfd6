package hosting

import (
	"net/netip"
	"slices"
)

// ID names an account, a package or another thing of the panel: a UUID of version
// 7 (RFC 9562), so that newer ones sort behind older ones.
type ID string

// Role says what kind of account somebody has.
type Role string

// Roles.
const (
	Administrator Role = "administrator" // the provider: everything
	Reseller      Role = "reseller"      // customers and packages of their own, inside a package of the provider's
	Customer      Role = "customer"      // sites
	Collaborator  Role = "collaborator"  // chosen rights on sites of others
)

// Roles returns all roles, the mightiest first.
func Roles() []Role { return []Role{Administrator, Reseller, Customer, Collaborator} }

// Actor is who asks. Only internal/panel/auth makes one, from an account that
// signed in or a token.
type Actor struct {
	ID          ID
	Name, Email string
	Role        Role
	// Reseller is whose customer the actor is; empty for the provider's own.
	Reseller ID
	// Behind is who really sits there while this account is used for support.
	Behind     ID
	BehindName string
	// Address is the peer's, for the audit trail.
	Address netip.Addr
	// Grants are a collaborator's rights.
	Grants []Grant
	// Scopes are what a token was made for; nil does not narrow anything.
	Scopes []Right
}

// Grant gives a collaborator rights on one site, or on all of a customer when Site
// is empty.
type Grant struct {
	Customer ID
	Site     string
	Rights   []Right
}

// granted tells whether a grant covers an action on an object.
func (a Actor) granted(do Right, on Object) bool {
	return slices.ContainsFunc(a.Grants, func(g Grant) bool {
		return g.Customer == on.Owner && (g.Site == "" || g.Site == on.Site) && slices.Contains(g.Rights, do)
	})
}

// system is the panel itself, where it mends what a crash left.
func system() Actor { return Actor{Name: "panel", Role: Administrator} }
