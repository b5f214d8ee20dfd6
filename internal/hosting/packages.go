package hosting

import (
	"context"
	"fmt"
	"slices"
)

// maxAmount keeps sums of amounts far from overflowing.
const maxAmount = 1_000_000_000

// Packages returns the packages that an actor may give to accounts.
func (p *Provider) Packages(ctx context.Context, a Actor) ([]Package, error) {
	whose := ID("")
	if a.Role == Reseller {
		whose = a.ID
	}
	if err := May(a, RightPackageView, (&Package{Reseller: whose}).Object()); err != nil {
		return nil, err
	}
	return p.Store.Packages(ctx, whose)
}

// Package returns a package that the actor may see.
func (p *Provider) Package(ctx context.Context, a Actor, id ID) (*Package, error) {
	return pack(ctx, p.Store, a, RightPackageView, id)
}

// PackageFor returns a package for something that the actor may do to it.
func (p *Provider) PackageFor(ctx context.Context, a Actor, do Right, id ID) (*Package, error) {
	return pack(ctx, p.Store, a, do, id)
}

func pack(ctx context.Context, r Reader, a Actor, do Right, id ID) (*Package, error) {
	found, err := r.Package(ctx, id)
	if err != nil {
		return nil, seen(err)
	}
	return found, May(a, do, found.Object())
}

// CreatePackage makes a package. A reseller's promises no more than its own.
func (p *Provider) CreatePackage(ctx context.Context, a Actor, req NewPackage) (*Package, error) {
	if a.Role == Reseller {
		req.Reseller = a.ID
	}
	made := &Package{ID: NewID(), Reseller: req.Reseller, Quota: req.Quota}
	if err := May(a, RightPackageCreate, Object{Reseller: made.Reseller}); err != nil {
		return nil, err
	}
	var f faults
	var err error
	made.Name, err = ParsePersonName(req.Name)
	f.check("name", err)
	req.Quota.faults(&f)
	if err := f.err(); err != nil {
		return nil, err
	}
	err = p.write(ctx, a, func(tx Tx) (change, error) {
		if err := within(ctx, tx, made); err != nil {
			return change{}, err
		}
		if err := tx.InsertPackage(ctx, made); err != nil {
			return change{}, packageTaken(err, made.Name)
		}
		return change{did: RightPackageCreate, object: made.Name, on: made.Object(), after: made, made: string(made.ID)}, nil
	})
	return made, err
}

// faults finds limits that can't be.
func (q Quota) faults(f *faults) {
	for r, n := range q {
		if !slices.Contains(Resources(), r) {
			f.add("quota", fmt.Sprintf("there is no resource %q; leave it out", r))
		}
		if n < 0 || n > maxAmount {
			f.add(string(r), fmt.Sprintf("%d can't be a limit; write a number from 0 to %d, or nothing for no limit", n, maxAmount))
		}
	}
}

// within refuses a reseller's package that promises more than the reseller has.
func within(ctx context.Context, tx Tx, p *Package) error {
	if p.Reseller == "" {
		return nil
	}
	seller, err := tx.User(ctx, p.Reseller)
	if err != nil || seller.Role != Reseller {
		return invalidField("reseller", "There is no such reseller; choose one from the list.", err)
	}
	has, err := tx.Package(ctx, seller.Package)
	if err != nil {
		return err
	}
	var f faults
	for _, r := range Resources() {
		most, limited := has.Quota[r]
		if n, ok := p.Quota[r]; limited && (!ok || n > most) {
			f.add(string(r), fmt.Sprintf("the reseller's own package %s has %s of %s; give at most that", has.Name, r.amount(most), r.title()))
		}
	}
	return f.err()
}

func packageTaken(err error, name string) error {
	if CodeOf(err) != Conflict {
		return err
	}
	return &Error{Code: Conflict, Err: err, Fields: []Field{{"name",
		fmt.Sprintf("There is a package %s already; choose another name.", name)}}}
}

// PlanPackage tells whom other limits would put over their quota. They keep what
// they have, and get nothing more of it.
func (p *Provider) PlanPackage(ctx context.Context, a Actor, id ID, q Quota) ([]Excess, error) {
	if _, err := pack(ctx, p.Store, a, RightPackageChange, id); err != nil {
		return nil, err
	}
	var f faults
	q.faults(&f)
	if err := f.err(); err != nil {
		return nil, err
	}
	return planPackage(ctx, p.Store, id, q)
}

func planPackage(ctx context.Context, r Reader, id ID, q Quota) ([]Excess, error) {
	users, err := r.UsersOfPackage(ctx, id)
	if err != nil {
		return nil, err
	}
	var list []Excess
	for _, u := range users {
		used, err := r.UsedBy(ctx, u.ID, u.Role == Reseller)
		if err != nil {
			return nil, err
		}
		if over := q.over(used); len(over) > 0 {
			list = append(list, Excess{User: u, Lines: over})
		}
	}
	return list, nil
}

// ChangePackage gives a package another name or other limits. Where that puts
// accounts over their quota it returns Conflict, unless accepted says that the actor
// was shown whom.
func (p *Provider) ChangePackage(ctx context.Context, a Actor, id ID, req NewPackage, accepted bool) (*Package, error) {
	var f faults
	name, err := ParsePersonName(req.Name)
	f.check("name", err)
	req.Quota.faults(&f)
	var changed *Package
	err = p.write(ctx, a, func(tx Tx) (change, error) {
		was, err := pack(ctx, tx, a, RightPackageChange, id)
		if err != nil {
			return change{}, err
		}
		if err := p.expected(was.Version()); err != nil {
			return change{}, err
		}
		if err := f.err(); err != nil {
			return change{}, err
		}
		changed = &Package{ID: was.ID, Name: name, Reseller: was.Reseller, Quota: req.Quota, Users: was.Users}
		if err := within(ctx, tx, changed); err != nil {
			return change{}, err
		}
		over, err := planPackage(ctx, tx, id, req.Quota)
		if err != nil {
			return change{}, err
		}
		if len(over) > 0 && !accepted {
			return change{}, &Error{Code: Conflict, Message: fmt.Sprintf("%d accounts use more than that.", len(over)),
				Mend: "They keep what they have and get nothing more of it. Confirm to change the package anyway."}
		}
		if err := tx.UpdatePackage(ctx, changed); err != nil {
			return change{}, packageTaken(err, name)
		}
		return change{did: RightPackageChange, object: name, on: was.Object(), before: was, after: changed}, nil
	})
	return changed, err
}

// notForNewcomers refuses what is done to a package that a company's people get who come
// the first time.
func notForNewcomers(ctx context.Context, tx Tx, p *Package) error {
	all, err := tx.IdentityProviders(ctx)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(all, func(c IdentityProvider) bool { return c.Package == p.ID }); i >= 0 {
		return &Error{Code: Conflict, Message: fmt.Sprintf("Newcomers of the company %s get the package %s.", all[i].Name, p.Name), Mend: "Give them another one first."}
	}
	return nil
}

// DeletePackage deletes a package that no account has and no newcomer gets.
func (p *Provider) DeletePackage(ctx context.Context, a Actor, id ID) error {
	return p.write(ctx, a, func(tx Tx) (change, error) {
		was, err := pack(ctx, tx, a, RightPackageDelete, id)
		if err != nil {
			return change{}, err
		}
		if err := p.expected(was.Version()); err != nil {
			return change{}, err
		}
		if err := notForNewcomers(ctx, tx, was); err != nil {
			return change{}, err
		}
		if err := tx.DeletePackage(ctx, id); CodeOf(err) == Conflict && err != nil {
			return change{}, &Error{Code: Conflict, Err: err, Message: fmt.Sprintf("Accounts have the package %s.", was.Name),
				Mend: "Give them another one first."}
		} else if err != nil {
			return change{}, err
		}
		return change{did: RightPackageDelete, object: was.Name, on: was.Object(), before: was}, nil
	})
}
