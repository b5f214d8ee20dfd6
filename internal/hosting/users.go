package hosting

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPersonName is how long the name of a person or a package can be, in characters.
const maxPersonName = 100

// ParseEmail returns an address as accounts are found by it: in lower case.
func ParseEmail(input string) (string, error) {
	email := strings.ToLower(strings.TrimSpace(input))
	if !isMailbox(email) {
		return "", fmt.Errorf("%q is not a mail address; write it like jo@shop.example", input)
	}
	return email, nil
}

// ParsePersonName returns the name of a person, a company or a package without
// blanks around it.
func ParsePersonName(input string) (string, error) {
	name := strings.TrimSpace(input)
	switch {
	case name == "":
		return "", fmt.Errorf("the name is empty; write one")
	case !oneLine(name, maxPersonName):
		return "", fmt.Errorf("the name must be one line of at most %d characters; shorten it", maxPersonName)
	}
	return name, nil
}

// oneLine tells whether a text is one of at most so many characters, all to be seen.
func oneLine(text string, most int) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unprintable) && utf8.RuneCountInString(text) <= most
}

// unprintable tells characters that turn or hide the text around them.
func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// ActorOf returns the actor that an account is, with its grants. It returns
// Forbidden for an account that is suspended, or whose reseller is.
func ActorOf(ctx context.Context, r Reader, id ID) (Actor, error) {
	u, err := r.User(ctx, id)
	if err != nil {
		return Actor{}, err
	}
	a := Actor{ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Reseller: u.Reseller}
	if u.Stopped() {
		return Actor{}, &Error{Code: Forbidden, Message: "This account is suspended.", Mend: "Ask who gave it to you."}
	}
	if u.Role == Collaborator {
		a.Grants, err = r.Grants(ctx, id)
	}
	return a, err
}

// Users returns the accounts that an actor may see.
func (p *Provider) Users(ctx context.Context, a Actor, q UserQuery) (Page[User], error) {
	switch a.Role {
	case Administrator:
	case Reseller:
		q.Reseller = a.ID
	default:
		q.Only = a.ID
	}
	if err := May(a, RightUserView, Object{Owner: a.ID, OwnerRole: a.Role}); err != nil {
		return Page[User]{}, err
	}
	q.Limit = limit(q.Limit)
	users, total, err := p.Store.Users(ctx, q)
	if err != nil {
		return Page[User]{}, err
	}
	return page(users, q.Limit, total, func(u User) string { return u.Email }), nil
}

// User returns an account that the actor may see.
func (p *Provider) User(ctx context.Context, a Actor, id ID) (*User, error) {
	return user(ctx, p.Store, a, RightUserView, id)
}

// user reads an account and asks whether the actor may do something to it.
func user(ctx context.Context, r Reader, a Actor, do Right, id ID) (*User, error) {
	u, err := r.User(ctx, id)
	if err != nil {
		return nil, seen(err)
	}
	return u, May(a, do, u.Object())
}

// CreateUser makes an account. It has no password: an invitation lets its owner set
// one.
func (p *Provider) CreateUser(ctx context.Context, a Actor, req NewUser) (*User, error) {
	if a.Role == Reseller {
		req.Reseller = a.ID
	}
	u := &User{ID: NewID(), Role: req.Role, Reseller: req.Reseller, Package: req.Package, CreatedAt: p.Now()}
	if err := May(a, RightUserCreate, Object{Reseller: u.Reseller, OwnerRole: u.Role}); err != nil {
		return nil, err
	}
	var f faults
	var err error
	u.Email, err = ParseEmail(req.Email)
	f.check("email", err)
	u.Name, err = ParsePersonName(req.Name)
	f.check("name", err)
	if u.Role != Administrator && u.Role != Reseller && u.Role != Customer {
		f.add("role", fmt.Sprintf("%q can't be made here; choose administrator, reseller or customer", u.Role))
	}
	if u.Role != Customer && u.Reseller != "" {
		f.add("reseller", "only customers belong to a reseller; leave it out")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	err = p.write(ctx, a, func(tx Tx) (change, error) {
		if err := fits(ctx, tx, u); err != nil {
			return change{}, err
		}
		if err := tx.InsertUser(ctx, u); err != nil {
			return change{}, emailTaken(err, u.Email)
		}
		return change{did: RightUserCreate, object: u.Email, on: u.Object(), after: u, made: string(u.ID)}, nil
	})
	return u, err
}

// fits asks whether an account's reseller and package go with it.
func fits(ctx context.Context, tx Tx, u *User) error {
	if u.Reseller != "" {
		r, err := tx.User(ctx, u.Reseller)
		if err != nil || r.Role != Reseller {
			return invalidField("reseller", "There is no such reseller; choose one from the list.", err)
		}
	}
	switch {
	case u.Role == Administrator && u.Package != "":
		return invalidField("package", "An administrator has no package: nothing limits one.", nil)
	case u.Role == Administrator:
		return nil
	case u.Package == "":
		return invalidField("package", "Choose a package: it says how much the account may use.", nil)
	}
	pack, err := tx.Package(ctx, u.Package)
	if err != nil || pack.Reseller != u.Reseller {
		return invalidField("package", "There is no such package for this account; choose one from the list.", err)
	}
	return nil
}

// invalidField answers a fault of a field, unless err says that looking failed.
func invalidField(field, message string, err error) error {
	if err != nil && CodeOf(err) != NotFound {
		return err
	}
	return &Error{Code: Invalid, Fields: []Field{{field, message}}}
}

func emailTaken(err error, email string) error {
	if CodeOf(err) != Conflict {
		return err
	}
	return &Error{Code: Conflict, Err: err, Fields: []Field{{"email",
		fmt.Sprintf("There is an account of %s already; use another address.", email)}}}
}

// ChangeUser changes an account. A package that is too small for what is used is
// refused.
func (p *Provider) ChangeUser(ctx context.Context, a Actor, id ID, c UserChange) (*User, error) {
	var u *User
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		was, err := user(ctx, tx, a, RightUserChange, id)
		if err != nil {
			return change{}, err
		}
		if err := p.expected(was.Version()); err != nil {
			return change{}, err
		}
		u = new(*was)
		if err := c.apply(u); err != nil {
			return change{}, err
		}
		if *u == *was {
			return change{}, nil
		}
		if u.Package != was.Package {
			if err := p.movable(ctx, tx, u); err != nil {
				return change{}, err
			}
		}
		if err := tx.UpdateUser(ctx, u); err != nil {
			return change{}, emailTaken(err, u.Email)
		}
		return change{did: RightUserChange, object: u.Email, on: u.Object(), before: was, after: u}, nil
	})
	return u, err
}

func (c UserChange) apply(u *User) error {
	var f faults
	var err error
	if c.Email != nil {
		u.Email, err = ParseEmail(*c.Email)
		f.check("email", err)
	}
	if c.Name != nil {
		u.Name, err = ParsePersonName(*c.Name)
		f.check("name", err)
	}
	if c.Package != nil {
		u.Package = *c.Package
	}
	return f.err()
}

// movable refuses another package that what the account uses does not fit into.
func (p *Provider) movable(ctx context.Context, tx Tx, u *User) error {
	if err := fits(ctx, tx, u); err != nil || u.Package == "" {
		return err
	}
	pack, err := tx.Package(ctx, u.Package)
	if err != nil {
		return err
	}
	used, err := tx.UsedBy(ctx, u.ID, u.Role == Reseller)
	if err != nil {
		return err
	}
	if over := pack.Quota.over(used); len(over) > 0 {
		return invalidField("package", fmt.Sprintf("The package %s is too small: %s.", pack.Name, excess(over)), nil)
	}
	return nil
}

// excess says in words what is over.
func excess(lines []QuotaLine) string {
	parts := make([]string, 0, len(lines))
	for _, l := range lines {
		parts = append(parts, fmt.Sprintf("%s of %s %s used and it allows %s",
			l.Resource.amount(l.Used), l.Resource.title(), verb(l.Used), l.Resource.amount(*l.Limit)))
	}
	return strings.Join(parts, "; ")
}

// SuspendUser suspends an account or lets it go on. Its sites, and a reseller's
// customers with theirs, follow at once or, when the cluster does not answer, with
// the next Settle.
func (p *Provider) SuspendUser(ctx context.Context, a Actor, id ID, suspended bool) error {
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		was, err := user(ctx, tx, a, RightUserSuspend, id)
		if err != nil || was.Suspended == suspended {
			return change{}, err
		}
		u := *was
		u.Suspended = suspended
		if err := tx.UpdateUser(ctx, &u); err != nil {
			return change{}, err
		}
		return change{did: RightUserSuspend, object: u.Email, on: u.Object(), before: was, after: &u}, endSessions(ctx, tx, &u)
	})
	if err != nil {
		return err
	}
	return p.Settle(ctx)
}

// endSessions closes the browsers of an account that was suspended.
func endSessions(ctx context.Context, tx Tx, u *User) error {
	if !u.Suspended {
		return nil
	}
	return tx.DeleteSessions(ctx, u.ID, "")
}

// Sells counts the customers and packages of a reseller, without whom it can't be deleted;
// nobody else has any. Whoever may see the account may be told.
func (p *Provider) Sells(ctx context.Context, u *User) (customers, packages int64, err error) {
	if u.Role != Reseller {
		return 0, 0, nil
	}
	if _, customers, err = p.Store.Users(ctx, UserQuery{Reseller: u.ID, Limit: 1}); err != nil {
		return 0, 0, err
	}
	sold, err := p.Store.Packages(ctx, u.ID)
	return customers, int64(len(sold)), err
}

// DeleteUser deletes an account that has nothing left.
func (p *Provider) DeleteUser(ctx context.Context, a Actor, id ID) error {
	return p.write(ctx, a, func(tx Tx) (change, error) {
		u, err := user(ctx, tx, a, RightUserDelete, id)
		if err != nil {
			return change{}, err
		}
		if err := p.expected(u.Version()); err != nil {
			return change{}, err
		}
		if err := tx.DeleteUser(ctx, id); CodeOf(err) == Conflict && err != nil {
			return change{}, &Error{Code: Conflict, Err: err,
				Message: fmt.Sprintf("The account %s still has sites, customers or packages.", u.Email),
				Mend:    "Delete them first, or give them to another account."}
		} else if err != nil {
			return change{}, err
		}
		if n, err := tx.Administrators(ctx); err != nil || n == 0 { // two who delete each other at once
			return change{}, cmp.Or(err, error(&Error{Code: Conflict, Message: "This is the last administrator."}))
		}
		return change{did: RightUserDelete, object: u.Email, on: u.Object(), before: u}, nil
	})
}

// ActAs returns the actor for whom support uses an account. Everything that it does
// carries both names in the trail.
func (p *Provider) ActAs(ctx context.Context, a Actor, id ID) (Actor, error) {
	var as Actor
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		u, err := user(ctx, tx, a, RightUserActAs, id)
		if err != nil {
			return change{}, err
		}
		if as, err = ActorOf(ctx, tx, id); err != nil {
			return change{}, err
		}
		as.Behind, as.BehindName, as.Address = a.ID, a.Name, a.Address
		return change{did: RightUserActAs, object: u.Email, on: u.Object()}, nil
	})
	return as, err
}
