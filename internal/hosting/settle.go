package hosting

import (
	"context"
	"errors"
	"time"
)

// settleAfter is how long a change of a site may be under way between store and
// cluster before Settle takes it for given up: longer than any request lives.
const settleAfter = 2 * time.Minute

// Settle mends what differs between the store and the cluster: a crash in the middle
// of a change, an answer that did not come, an account that was suspended while the
// cluster was away, a Domain that somebody changed or deleted past the panel. It is
// called four times a minute, and may run anywhere any number of times: a site that is
// as it should be costs a look and no write. One site's error keeps no other from being
// settled.
func (p *Provider) Settle(ctx context.Context) error {
	sites, err := p.Store.Unsettled(ctx, p.Now().Add(-settleAfter))
	if err != nil {
		return err
	}
	var all error
	for i := range sites {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		all = errors.Join(all, p.settle(ctx, &sites[i]))
	}
	return all
}

func (p *Provider) settle(ctx context.Context, s *OwnedSite) error {
	if s.State == SiteDeleting {
		return p.remove(ctx, s)
	}
	if err := p.look(ctx, s); err != nil {
		return err
	}
	old := s.ChangedAt.Before(p.Now().Add(-settleAfter))
	switch {
	case s.Domain == nil && old: // never made, or deleted past the panel
		return p.write(ctx, system(), func(tx Tx) (change, error) {
			if same, err := unchanged(ctx, tx, s); err != nil || !same {
				return change{}, err
			}
			return change{did: RightSiteDelete, object: s.Name, on: s.On(), before: s.Amounts, after: "the cluster has no such site"},
				tx.DeleteSite(ctx, s.Name)
		})
	case s.Domain == nil:
		return nil
	}
	if same, err := p.hold(ctx, s); err != nil || !same || !old {
		return err
	}
	amounts, all := amountsOf(s.Domain), names(s.Domain)
	if s.State != SiteOwned || !amounts.equal(s.Amounts) || SumOfNames(all) != s.NamesSum {
		found := *s
		found.State, found.Amounts, found.Names = SiteOwned, amounts, all
		_, err := p.replace(ctx, s, &found)
		return err
	}
	return nil
}

// unchanged tells whether a site is as it was when it was read. Between the two lie all
// sites that were settled before it: meanwhile it may be given to somebody else, deleted,
// or another of that name.
func unchanged(ctx context.Context, tx Tx, s *OwnedSite) (bool, error) {
	now, err := tx.OwnedSite(ctx, s.Name)
	if CodeOf(err) == NotFound {
		return false, nil
	}
	return err == nil && now.Owner == s.Owner && now.OwnerSuspended == s.OwnerSuspended && now.State == s.State &&
		now.Held == s.Held && now.Suspended == s.Suspended && now.CreatedAt.Equal(s.CreatedAt) && now.ChangedAt.Equal(s.ChangedAt), err
}

// replace writes what became of a site unless somebody changed it since it was read: the
// next Settle looks at it then.
func (p *Provider) replace(ctx context.Context, was, s *OwnedSite) (same bool, err error) {
	err = p.Store.Write(ctx, func(tx Tx) error {
		var err error
		if same, err = unchanged(ctx, tx, was); err != nil || !same {
			return err
		}
		return tx.UpdateSite(ctx, s)
	})
	return same, err
}

// hold makes a site follow its owner's suspension, and tells whether nobody changed the
// site meanwhile. The store learns first what the site was before, and last that it is free
// again, so that dying in between loses nothing.
func (p *Provider) hold(ctx context.Context, s *OwnedSite) (same bool, err error) {
	if s.OwnerSuspended && !s.Held {
		was := *s
		s.Held, s.Suspended = true, s.Domain.Spec.Suspended
		if same, err := p.replace(ctx, &was, s); err != nil || !same {
			return false, err
		}
	}
	if !s.Held {
		return true, nil
	}
	want := s.OwnerSuspended || s.Suspended
	d, _, err := p.Panel.ChangeSite(ctx, s.Name, SiteChange{Suspended: &want}, false)
	if err != nil || s.OwnerSuspended {
		return true, err
	}
	was := *s
	s.Domain, s.Held, s.Suspended = d, false, false
	return p.replace(ctx, &was, s)
}
