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
			return change{did: RightSiteDelete, object: s.Name, on: s.On(), before: s.Amounts, after: "the cluster has no such site"},
				tx.DeleteSite(ctx, s.Name)
		})
	case s.Domain == nil:
		return nil
	}
	if err := p.hold(ctx, s); err != nil {
		return err
	}
	if !old {
		return nil
	}
	amounts, all := amountsOf(s.Domain), names(s.Domain)
	if s.State != SiteOwned || !amounts.equal(s.Amounts) || SumOfNames(all) != s.NamesSum {
		s.State, s.Amounts, s.Names = SiteOwned, amounts, all
		return p.Store.Write(ctx, func(tx Tx) error { return tx.UpdateSite(ctx, s) })
	}
	return nil
}

// hold makes a site follow its owner's suspension. The store learns first what the
// site was before, and last that it is free again, so that dying in between loses
// nothing.
func (p *Provider) hold(ctx context.Context, s *OwnedSite) error {
	if s.OwnerSuspended && !s.Held {
		s.Held, s.Suspended = true, s.Domain.Spec.Suspended
		if err := p.Store.Write(ctx, func(tx Tx) error { return tx.UpdateSite(ctx, s) }); err != nil {
			return err
		}
	}
	if !s.Held {
		return nil
	}
	want := s.OwnerSuspended || s.Suspended
	d, _, err := p.Panel.ChangeSite(ctx, s.Name, SiteChange{Suspended: &want}, false)
	if err != nil || s.OwnerSuspended {
		return err
	}
	s.Domain, s.Held, s.Suspended = d, false, false
	return p.Store.Write(ctx, func(tx Tx) error { return tx.UpdateSite(ctx, s) })
}
