package hosting

import (
	"cmp"
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Written is the last version of a site's Domain that a panel made. It stands in the
// store, since who made it may ask another panel next, which has the cluster's state in
// memory and is told of changes a little later.
type Written struct {
	Version string // the Domain's resourceVersion; "" for none
	At      time.Time
}

const (
	// writtenCounts is how long a version is waited for at all: a cluster that was put back
	// to an earlier state never comes to it again.
	writtenCounts = time.Minute
	// followPatience is how long an answer waits, unless the Provider says otherwise.
	followPatience = 2 * time.Second
	// noteTimeout bounds writing a version down, which goes on when nobody waits any more.
	noteTimeout = 5 * time.Second
)

// Follower tells whether what is read of Domains is as new as a version, or waits until
// it is. It returns false when ctx ends first.
type Follower interface {
	Follow(ctx context.Context, object, version string) bool
}

// follow waits until what other panels just wrote of sites can be read here, for all of
// them together at most as long as the Provider says. It returns false when some of it
// can't yet.
func (p *Provider) follow(ctx context.Context, sites ...*OwnedSite) bool {
	if p.Follow == nil {
		return true
	}
	since := p.Now().Add(-writtenCounts)
	var changed []*OwnedSite // mostly none
	for _, s := range sites {
		if s.Written.Version != "" && !s.Written.At.Before(since) {
			changed = append(changed, s)
		}
	}
	if len(changed) == 0 {
		return true
	}
	wait, done := context.WithTimeout(ctx, cmp.Or(p.Patience, followPatience))
	defer done()
	all := true
	for _, s := range changed {
		all = p.Follow.Follow(wait, s.Object, s.Written.Version) && all
	}
	return all
}

// look adds what the cluster says of a site, after what any panel wrote of it.
func (p *Provider) look(ctx context.Context, s *OwnedSite) error {
	p.follow(ctx, s)
	return p.see(ctx, s)
}

// see adds what the cluster says of a site, as far as this panel was told.
func (p *Provider) see(ctx context.Context, s *OwnedSite) error {
	d, err := p.Panel.Domains.Domain(ctx, s.Object)
	if err != nil && CodeOf(err) != NotFound {
		return err
	}
	s.Domain = d
	return nil
}

// ReadWriter reads and writes Domains.
type ReadWriter interface {
	DomainReader
	DomainWriter
}

// Noted is a writer whose versions all panels of a store know. What can't be noted is
// told to failed: the change is made then, and another panel may show it late.
func Noted(domains ReadWriter, store Store, now func() time.Time, failed func(error)) DomainWriter {
	return &noted{domains, store, now, failed}
}

type noted struct {
	ReadWriter

	store  Store
	now    func() time.Time
	failed func(error)
}

// CreateDomain implements DomainWriter.
func (n *noted) CreateDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	err := n.ReadWriter.CreateDomain(ctx, d, dryRun)
	if err == nil && !dryRun {
		n.note(ctx, d)
	}
	return err
}

// ChangeDomain implements DomainWriter.
func (n *noted) ChangeDomain(ctx context.Context, was, d *v1alpha1.Domain, dryRun bool) error {
	err := n.ReadWriter.ChangeDomain(ctx, was, d, dryRun)
	if err == nil && !dryRun {
		n.note(ctx, d)
	}
	return err
}

// DeleteDomain implements DomainWriter. Of a Domain that is gone at once there is no
// version; the site itself goes from the store then.
func (n *noted) DeleteDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	err := n.ReadWriter.DeleteDomain(ctx, d, dryRun)
	if err != nil || dryRun {
		return err
	}
	if ending, err := n.Domain(ctx, d.Name); err == nil && ending.UID == d.UID {
		n.note(ctx, ending)
	}
	return nil
}

// note writes the version of a Domain down unless a later one is there.
func (n *noted) note(ctx context.Context, d *v1alpha1.Domain) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer done()
	err := n.store.Write(ctx, func(tx Tx) error {
		s, err := tx.OwnedSite(ctx, d.Spec.DomainName)
		if CodeOf(err) == NotFound {
			return nil // nobody's site
		}
		if err != nil || s.Object != d.Name {
			return err
		}
		if order, err := resourceversion.CompareResourceVersion(s.Written.Version, d.ResourceVersion); err == nil && order >= 0 {
			return nil
		}
		return tx.NoteVersion(ctx, s.Name, Written{d.ResourceVersion, n.now()})
	})
	if err != nil {
		n.failed(err)
	}
}
