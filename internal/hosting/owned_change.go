package hosting

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// ChangeSite changes a site and tells whether there was anything to change. With dryRun
// it only says whether all that could be.
func (p *Provider) ChangeSite(ctx context.Context, a Actor, name string, c SiteChange, dryRun bool) (*OwnedSite, bool, error) {
	s, err := p.site(ctx, a, RightSiteChange, name)
	if err != nil {
		return nil, false, err
	}
	if err := cmp.Or(p.expected(s.Version()), changing(s, c)); err != nil {
		return nil, false, err
	}
	c = p.only(s, c)
	wanted, changes, err := p.Panel.ChangeSite(ctx, s.Name, c, true)
	if err == nil {
		err = placed(a, &s.Domain.Spec, &wanted.Spec)
	}
	if err != nil {
		return nil, false, err
	}
	if !changes {
		return s, false, nil
	}
	if err := p.nameable(ctx, a, s.Domain, wanted); err != nil {
		return nil, false, err
	}
	before, after, err := differing(s.Domain.Spec, wanted.Spec)
	if err != nil {
		return nil, false, err
	}
	var free *leftover
	err = p.write(ctx, a, func(tx Tx) (change, error) {
		var err error
		free, err = p.retake(ctx, tx, a, s.Domain, wanted)
		if err == nil && dryRun {
			err = errDryRun
		}
		return change{did: RightSiteChange, object: s.Name, on: s.On(), before: before, after: after}, err
	})
	if errors.Is(err, errDryRun) {
		s.Domain = wanted
		return s, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	// Should we die here, Settle counts what the cluster has.
	s.Domain, changes, err = p.Panel.ChangeSite(ctx, s.Name, c, false)
	if err == nil {
		_ = p.giveBack(ctx, free, s.Domain) // the change is made: what this leaves, Settle does
	}
	return s, changes, err
}

// nameable refuses names for a site that are another's or the panel's own. Of those that
// it has already nobody is asked: that would read all sites for each change.
func (p *Provider) nameable(ctx context.Context, a Actor, was, wanted *v1alpha1.Domain) error {
	if !slices.Equal(names(was), names(wanted)) {
		if err := p.unclaimed(ctx, a, was, wanted); err != nil {
			return err
		}
	}
	return p.reserved(names(wanted))
}

// unclaimed refuses names that lead to another site of the cluster. Whose a name is stays
// the administrator's to know.
func (p *Provider) unclaimed(ctx context.Context, a Actor, was, wanted *v1alpha1.Domain) error {
	err := p.Panel.unclaimed(ctx, was, wanted)
	if err != nil && a.Role != Administrator {
		return namesTaken(err, &OwnedSite{Name: wanted.Spec.DomainName})
	}
	return err
}

// leftover is what a change of a site gives back once the cluster has it.
type leftover struct {
	site      string
	changedAt time.Time
	amounts   Amounts  // what is left of resources that the site has less of
	names     []string // those that it has no more
}

// retake takes room and names for another state of a site, beside what it has: what this
// state leaves is given back when the cluster has it, since the change may fail.
func (p *Provider) retake(ctx context.Context, tx Tx, a Actor, was, wanted *v1alpha1.Domain) (*leftover, error) {
	now, err := owned(ctx, tx, a, RightSiteChange, wanted.Spec.DomainName)
	if err != nil {
		return nil, err
	}
	u, err := tx.User(ctx, now.Owner)
	if err != nil {
		return nil, err
	}
	taken, err := tx.SiteNames(ctx, now.Name)
	if err != nil {
		return nil, err
	}
	had := now.Amounts
	now.Amounts, now.ChangedAt = had.most(amountsOf(wanted)), p.Now().Truncate(time.Microsecond)
	now.Names = append(names(wanted), without(taken, names(wanted))...)
	if err := room(ctx, tx, u, now.Amounts.minus(had)); err != nil {
		return nil, err
	}
	if err := neighbours(ctx, tx, a, now.Owner, without(names(wanted), names(was))); err != nil {
		return nil, err
	}
	free := &leftover{now.Name, now.ChangedAt, had.lower(amountsOf(was), amountsOf(wanted)), without(names(was), names(wanted))}
	return free, namesTaken(tx.UpdateSite(ctx, now), now)
}

// lower returns what a change leaves of the resources that it takes some away of. Where
// more was taken than the site was seen to have, another change is under way, and how much
// is free is found out when both are through.
func (a Amounts) lower(was, wanted Amounts) Amounts {
	less := Amounts{}
	for _, r := range Resources() {
		if wanted[r] < a[r] && was[r] == a[r] {
			less[r] = wanted[r]
		}
	}
	return less
}

// giveBack frees what a change leaves, now that the cluster has d. Where somebody changed
// the site since, Settle does.
func (p *Provider) giveBack(ctx context.Context, free *leftover, d *v1alpha1.Domain) error {
	if len(free.amounts) == 0 && len(free.names) == 0 {
		return nil
	}
	return p.Store.Write(ctx, func(tx Tx) error {
		now, err := tx.OwnedSite(ctx, free.site)
		if err != nil || !now.ChangedAt.Equal(free.changedAt) {
			return err
		}
		taken, err := tx.SiteNames(ctx, free.site)
		if err != nil {
			return err
		}
		maps.Copy(now.Amounts, free.amounts)
		now.Names = append(names(d), without(without(taken, free.names), names(d))...)
		return tx.UpdateSite(ctx, now)
	})
}

// without returns what all has and some has not.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// only has a change that is for one version of a site fail on every later one.
func (p *Provider) only(s *OwnedSite, c SiteChange) SiteChange {
	if p.expect != "" {
		c.generation = s.Domain.Generation
	}
	return c
}

// changing refuses a change of a site that is not at its owner's disposal.
func changing(s *OwnedSite, c SiteChange) error {
	switch {
	case s.Domain == nil:
		return notThereYet(s)
	case s.Held && c.Suspended != nil:
		return &Error{Code: Conflict, Message: "The site " + ShowBoth(s.Name) + " is suspended with its owner's account.",
			Mend: "It goes on when the account does."}
	}
	return nil
}

func notThereYet(s *OwnedSite) error {
	return &Error{Code: Conflict, Message: "The site " + ShowBoth(s.Name) + " is not there yet.", Mend: "Try again in a moment."}
}

// DeleteSite deletes a site with everything that belongs to it. It counts until the
// cluster has nothing of it left.
func (p *Provider) DeleteSite(ctx context.Context, a Actor, name string) error {
	var s *OwnedSite
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		var err error
		if s, err = owned(ctx, tx, a, RightSiteDelete, name); err != nil {
			return change{}, err
		}
		if s.State == SiteDeleting {
			return change{}, nil
		}
		if err := p.look(ctx, s); err != nil {
			return change{}, err
		}
		if err := p.expected(s.Version()); err != nil {
			return change{}, err
		}
		if s.Domain == nil && s.State == SiteCreating && s.ChangedAt.After(p.Now().Add(-settleAfter)) {
			return change{}, notThereYet(s) // what is made a moment later would be nobody's
		}
		s.State, s.ChangedAt = SiteDeleting, p.Now().Truncate(time.Microsecond)
		return change{did: RightSiteDelete, object: s.Name, on: s.On(), before: s.Amounts}, tx.UpdateSite(ctx, s)
	})
	if err != nil {
		return err
	}
	return p.remove(ctx, s)
}

// remove deletes the Domain of a site that is to go, and forgets the site when there
// is none.
func (p *Provider) remove(ctx context.Context, s *OwnedSite) error {
	known := p.follow(ctx, s)
	if err := p.see(ctx, s); err != nil {
		return err
	}
	if s.Domain == nil && !known { // another panel has just made it
		return &Error{Code: Unreachable, Message: "The cluster has not told this panel of the site " + ShowBoth(s.Name) + " yet.", Mend: "Try again in a moment."}
	}
	if s.Domain == nil {
		return p.Store.Write(ctx, func(tx Tx) error {
			if same, err := unchanged(ctx, tx, s); err != nil || !same {
				return err
			}
			return tx.DeleteSite(ctx, s.Name)
		})
	}
	if !s.Domain.DeletionTimestamp.IsZero() {
		return nil
	}
	if err := p.Panel.DeleteSite(ctx, s.Domain, false); err != nil && CodeOf(err) != NotFound {
		return err
	}
	return nil
}

// RestartSite asks for a new pod of a site.
func (p *Provider) RestartSite(ctx context.Context, a Actor, name string, now time.Time) error {
	s, err := p.site(ctx, a, RightSiteRestart, name)
	if err != nil {
		return err
	}
	if _, err := p.Panel.RestartSite(ctx, s.Name, now); err != nil {
		return err
	}
	return p.recordSite(ctx, a, RightSiteRestart, s, nil)
}

// Password shows an account of a site. That it was shown stands in the trail.
func (p *Provider) Password(ctx context.Context, a Actor, name string, purpose Purpose) (*Credential, error) {
	s, err := p.site(ctx, a, RightSitePassword, name)
	if err != nil {
		return nil, err
	}
	if err := changing(s, SiteChange{}); err != nil {
		return nil, err
	}
	if err := p.recordSite(ctx, a, RightSitePassword, s, string(purpose)); err != nil {
		return nil, err
	}
	return p.Panel.Password(ctx, s.Domain, purpose)
}

func (p *Provider) recordSite(ctx context.Context, a Actor, did Right, s *OwnedSite, after any) error {
	return p.write(ctx, a, func(Tx) (change, error) {
		return change{did: did, object: s.Name, on: s.On(), after: after}, nil
	})
}

// AssignSite gives a site to another account, also one that was made without the
// panel and has no owner yet. The new owner's package must have room.
func (p *Provider) AssignSite(ctx context.Context, a Actor, name string, to ID) error {
	d, err := p.Panel.Site(ctx, name)
	if err != nil {
		return seen(err)
	}
	return p.write(ctx, a, func(tx Tx) (change, error) {
		u, err := user(ctx, tx, a, RightUserView, to)
		if err != nil {
			return change{}, err
		}
		if err := mayOwn(u); err != nil {
			return change{}, err
		}
		wanted := ownedSite(d, to)
		wanted.State, wanted.CreatedAt, wanted.ChangedAt = SiteOwned, p.Now(), p.Now()
		was, err := tx.OwnedSite(ctx, wanted.Name)
		known := err == nil
		switch {
		case err != nil && CodeOf(err) != NotFound:
			return change{}, err
		case !known:
			was = &OwnedSite{Owner: provider}
		}
		if err := May(a, RightSiteAssign, was.On()); err != nil {
			return change{}, err
		}
		was.Domain = d
		if err := p.expected(was.Version()); err != nil {
			return change{}, err
		}
		if err := room(ctx, tx, u, wanted.Amounts); err != nil {
			return change{}, err
		}
		c := change{did: RightSiteAssign, object: wanted.Name, on: Object{Owner: u.ID, Reseller: u.Reseller}, before: was.Owner, after: to}
		if !known {
			return c, tx.InsertSite(ctx, wanted)
		}
		was.Owner, was.ChangedAt = to, p.Now()
		return c, tx.UpdateSite(ctx, was)
	})
}
