package hosting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Sites returns the sites that an actor may see, each with what the cluster says.
func (p *Provider) Sites(ctx context.Context, a Actor, q SiteQuery) (Page[OwnedSite], error) {
	none := Page[OwnedSite]{}
	if !inScope(a, RightSiteView) {
		return none, May(a, RightSiteView, Object{})
	}
	switch a.Role {
	case Administrator:
	case Reseller:
		q.Reseller = a.ID
	case Customer:
		q.Owner = a.ID
	case Collaborator:
		q.Narrowed = true
		for _, g := range a.Grants {
			if a.granted(RightSiteView, Object{Owner: g.Customer, Site: g.Site}) {
				q.Granted = append(q.Granted, g)
			}
		}
	default:
		return none, May(a, RightSiteView, Object{})
	}
	if err := q.Check(); err != nil {
		return none, err
	}
	q.Limit = limit(q.Limit)
	read := p.readSites
	if q.SiteFilter != (SiteFilter{}) {
		read = p.filteredSites
	}
	got, err := read(ctx, q)
	if err != nil {
		return none, err
	}
	return got, p.addUses(ctx, got.Items)
}

// readSites reads a page of sites, each with what the cluster says.
func (p *Provider) readSites(ctx context.Context, q SiteQuery) (Page[OwnedSite], error) {
	sites, total, err := p.Store.OwnedSites(ctx, q)
	if err != nil {
		return Page[OwnedSite]{}, err
	}
	got := page(sites, q.Limit, total, func(s OwnedSite) string { return s.Name })
	all := make([]*OwnedSite, len(got.Items))
	for i := range got.Items {
		all[i] = &got.Items[i]
	}
	p.follow(ctx, all...)
	for _, s := range all {
		if err := p.see(ctx, s); err != nil {
			return Page[OwnedSite]{}, err
		}
	}
	return got, nil
}

// Site returns a site that the actor may see.
func (p *Provider) Site(ctx context.Context, a Actor, name string) (*OwnedSite, error) {
	return p.site(ctx, a, RightSiteView, name)
}

// SiteFor returns a site for something that no rule here does, such as opening its
// files: it asks May for that.
func (p *Provider) SiteFor(ctx context.Context, a Actor, do Right, name string) (*OwnedSite, error) {
	return p.site(ctx, a, do, name)
}

func (p *Provider) site(ctx context.Context, a Actor, do Right, name string) (*OwnedSite, error) {
	s, err := owned(ctx, p.Store, a, do, name)
	if err != nil {
		return nil, err
	}
	return s, p.look(ctx, s)
}

// owned reads whose a site is and asks whether the actor may do something to it.
func owned(ctx context.Context, r Reader, a Actor, do Right, name string) (*OwnedSite, error) {
	ascii, err := ParseName(name)
	if err != nil {
		return nil, hidden()
	}
	s, err := r.OwnedSite(ctx, ascii)
	if err != nil {
		return nil, seen(err)
	}
	return s, May(a, do, s.On())
}

// CreateSite makes a site for owner, or for the actor when that is empty. Room in
// the owner's package, and in that of its reseller, is taken in one transaction; so
// are the site's names. With dryRun it only says whether all that could be.
func (p *Provider) CreateSite(ctx context.Context, a Actor, owner ID, req NewSite, dryRun bool) (*OwnedSite, error) {
	if owner == "" {
		owner = a.ID
	}
	u, err := p.Store.User(ctx, owner)
	if err != nil {
		return nil, seen(err)
	}
	if err := May(a, RightSiteCreate, u.Object()); err != nil {
		return nil, err
	}
	wanted, err := p.Panel.CreateSite(ctx, req, true)
	if err != nil && CodeOf(err) != Conflict {
		return nil, err
	}
	if err != nil { // somebody else's names are no business of a customer
		return nil, p.nameTaken(ctx, a, req, err)
	}
	s := ownedSite(wanted, owner)
	if err := p.reserved(s.Names); err != nil {
		return nil, err
	}
	s.State, s.CreatedAt = SiteCreating, p.Now().Truncate(time.Microsecond)
	err = p.take(ctx, a, s, dryRun)
	if err != nil || dryRun {
		s.Domain = wanted
		return s, err
	}
	return s, p.create(ctx, a, s, req)
}

// errDryRun ends a transaction that was only to be tried.
var errDryRun = errors.New("this was only a try")

// take reserves names and room.
func (p *Provider) take(ctx context.Context, a Actor, s *OwnedSite, dryRun bool) error {
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		u, err := tx.User(ctx, s.Owner)
		if err != nil {
			return change{}, seen(err)
		}
		if err := mayOwn(u); err != nil {
			return change{}, err
		}
		s.Reseller, s.ChangedAt = u.Reseller, p.Now()
		if err := room(ctx, tx, u, s.Amounts); err != nil {
			return change{}, err
		}
		if err := neighbours(ctx, tx, a, s.Owner, s.Names); err != nil {
			return change{}, err
		}
		if err := tx.InsertSite(ctx, s); err != nil {
			return change{}, namesTaken(err, s)
		}
		if dryRun {
			return change{}, errDryRun
		}
		return change{did: RightSiteCreate, object: s.Name, on: s.On(), after: s.Amounts, made: s.Name}, nil
	})
	if errors.Is(err, errDryRun) {
		return nil
	}
	return err
}

// namesTaken says that a name is somebody else's, and not whose.
func namesTaken(err error, s *OwnedSite) error {
	if CodeOf(err) != Conflict {
		return err
	}
	return &Error{Code: Conflict, Err: err, Fields: []Field{{"name",
		fmt.Sprintf("The name %s is taken, or one of its aliases is; choose another.", ShowBoth(s.Name))}}}
}

// mayOwn refuses sites for accounts that have none.
func mayOwn(u *User) error {
	if u.Role == Collaborator {
		return invalidField("owner", "A collaborator has no sites of its own; choose a customer.", nil)
	}
	if u.Stopped() {
		return invalidField("owner", "The account "+u.Email+" is suspended; it gets no new sites.", nil)
	}
	return nil
}

// create makes the Domain of a site that was taken. What is certainly not there is
// given back; after an answer that did not come, Settle finds out.
func (p *Provider) create(ctx context.Context, a Actor, s *OwnedSite, req NewSite) error {
	d, err := p.Panel.CreateSite(ctx, req, false)
	if err == nil {
		s.Domain = d
		return p.made(ctx, s)
	}
	if code := CodeOf(err); code == Internal || code == Unreachable || ctx.Err() != nil {
		return err
	}
	gone := p.write(ctx, a, func(tx Tx) (change, error) {
		return change{did: RightSiteDelete, object: s.Name, on: s.On(), before: s.Amounts, after: "not made: " + string(CodeOf(err)), undone: true},
			tx.DeleteSite(ctx, s.Name)
	})
	if gone != nil {
		return gone
	}
	return err
}

// errTooLate says that a site was given up before the cluster had it.
var errTooLate = errors.New("the cluster took so long that the site was given up")

// made notes that the cluster has the Domain of a site that was taken. One that was given
// up meanwhile is taken back: it would be nobody's, and count for nobody.
func (p *Provider) made(ctx context.Context, s *OwnedSite) error {
	err := p.Store.Write(ctx, func(tx Tx) error {
		now, err := tx.OwnedSite(ctx, s.Name)
		switch {
		case CodeOf(err) == NotFound, err == nil && !now.CreatedAt.Equal(s.CreatedAt):
			return errTooLate
		case err != nil || now.State != SiteCreating: // it is deleted already, or settled
			return err
		}
		s.State, now.State = SiteOwned, SiteOwned
		return tx.UpdateSite(ctx, now)
	})
	if !errors.Is(err, errTooLate) {
		return err
	}
	return errors.Join(fmt.Errorf("make the site %s: %w", s.Name, err), p.Panel.DeleteSite(ctx, s.Domain, false))
}

// nameTaken hides whose a name is from who may not see that.
func (p *Provider) nameTaken(ctx context.Context, a Actor, req NewSite, err error) error {
	if a.Role == Administrator {
		return err
	}
	return &Error{Code: Conflict, Err: err, Fields: []Field{{"name",
		fmt.Sprintf("The name %s is taken, or one of its aliases is; choose another.", req.Name)}}}
}

// reserved refuses names that would take visitors of the panel, or their cookies.
func (p *Provider) reserved(names []string) error {
	for _, name := range names {
		for _, r := range p.Reserved {
			if name == r || strings.HasSuffix(name, "."+r) {
				return &Error{Code: Conflict, Fields: []Field{{"name", fmt.Sprintf("The name %s is the provider's own; choose another.", ShowBoth(name))}}}
			}
		}
	}
	return nil
}

// neighbours refuses a name below one of somebody else's: mail and cookies of
// shop.example would be within reach of evil.shop.example. Administrators may.
func neighbours(ctx context.Context, tx Tx, a Actor, owner ID, names []string) error {
	if a.Role == Administrator {
		return nil
	}
	var above []string
	for _, name := range names {
		for _, parent, ok := strings.Cut(name, "."); ok; _, parent, ok = strings.Cut(parent, ".") {
			above = append(above, parent)
		}
	}
	owners, err := tx.NameOwners(ctx, above)
	if err != nil {
		return err
	}
	for name, other := range owners {
		if other.Owner != owner {
			below := slices.IndexFunc(names, func(own string) bool { return strings.HasSuffix(own, "."+name) })
			return &Error{Code: Conflict, Fields: []Field{{"name",
				fmt.Sprintf("The name %s is below %s, which belongs to another account; ask its owner or the provider.", ShowBoth(names[below]), ShowBoth(name))}}}
		}
	}
	return nil
}

// room refuses what the account's package, or that of its reseller, has no room for.
func room(ctx context.Context, tx Tx, u *User, more Amounts) error {
	if err := roomOf(ctx, tx, u, false, more); err != nil || u.Reseller == "" {
		return err
	}
	seller, err := tx.User(ctx, u.Reseller)
	if err != nil {
		return err
	}
	return roomOf(ctx, tx, seller, true, more)
}

func roomOf(ctx context.Context, tx Tx, u *User, customers bool, more Amounts) error {
	if u.Package == "" {
		return nil
	}
	pack, err := tx.Package(ctx, u.Package)
	if err != nil {
		return err
	}
	used, err := tx.UsedBy(ctx, u.ID, customers || u.Role == Reseller)
	if err != nil {
		return err
	}
	whose := "The package " + pack.Name
	if customers {
		whose = "The reseller's package"
	}
	return pack.Quota.check(whose, used, more)
}

// ownedSite is what a Domain counts for its owner.
func ownedSite(d *v1alpha1.Domain, owner ID) *OwnedSite {
	return &OwnedSite{Name: d.Spec.DomainName, Object: d.Name, Owner: owner, Amounts: amountsOf(d), Names: names(d)}
}

// amountsOf counts what a Domain may use. What can't be read counts nothing: only
// who may write Domains past the panel can make such a one.
func amountsOf(d *v1alpha1.Domain) Amounts {
	a := Amounts{Sites: 1, DomainAliases: int64(len(d.Spec.Aliases))}
	a[Storage], _ = ParseStorage(d.Spec.Resources.Storage)
	a[CPU], _ = ParseCPU(d.Spec.Resources.Limits.CPU)
	a[Memory], _ = ParseMemory(d.Spec.Resources.Limits.Memory)
	if on := d.Spec.Database.Enabled; on == nil || *on {
		a[Databases] = 1
	}
	return a
}
