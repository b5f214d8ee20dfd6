package hosting

import "cmp"

// provider owns what belongs to no account.
const provider ID = "provider"

// Package is what a customer bought, or how much a reseller may sell.
type Package struct {
	ID   ID
	Name string
	// Reseller is whose package it is; empty for the provider's.
	Reseller ID
	Quota    Quota

	// Users is how many accounts have it; filled in by lists.
	Users int64
}

// Object is what a decision about the package needs: it belongs to who sells it.
func (p *Package) Object() Object {
	return Object{Owner: cmp.Or(p.Reseller, provider), Reseller: p.Reseller}
}

// NewPackage is a request for a package.
type NewPackage struct {
	Name  string
	Quota Quota
	// Reseller is for administrators to say; a reseller's packages are its own.
	Reseller ID
}

// Excess is an account that a smaller package would put over its quota.
type Excess struct {
	User  User
	Lines []QuotaLine // only those that are over
}
