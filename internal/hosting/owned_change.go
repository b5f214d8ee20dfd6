package hosting

import (
	"cmp"
	"context"
	"errors"
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
	err = p.write(ctx, a, func(tx Tx) (change, error) {
		err := p.retake(ctx, tx, a, wanted)
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

// retake takes room and names for another state of a site, in place of what it has.
func (p *Provider) retake(ctx context.Context, tx Tx, a Actor, wanted *v1alpha1.Domain) error {
	now, err := owned(ctx, tx, a, RightSiteChange, wanted.Spec.DomainName)
	if err != nil {
		return err
	}
	u, err := tx.User(ctx, now.Owner)
	if err != nil {
		return err
	}
	more := amountsOf(wanted).minus(now.Amounts)
	now.Amounts, now.Names, now.ChangedAt = amountsOf(wanted), names(wanted), p.Now()
	if err := room(ctx, tx, u, more); err != nil {
		return err
	}
	if err := neighbours(ctx, tx, a, now); err != nil {
		return err
	}
	return namesTaken(tx.UpdateSite(ctx, now), now)
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
		return &Error{Code: Conflict, Message: "The site " + ShowBoth(s.Name) + " is not there yet.", Mend: "Try again in a moment."}
	case s.Held && c.Suspended != nil:
		return &Error{Code: Conflict, Message: "The site " + ShowBoth(s.Name) + " is suspended with its owner's account.",
			Mend: "It goes on when the account does."}
	}
	return nil
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
		s.State, s.ChangedAt = SiteDeleting, p.Now()
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
		return p.Store.Write(ctx, func(tx Tx) error { return tx.DeleteSite(ctx, s.Name) })
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
