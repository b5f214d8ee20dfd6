package hosting

import (
	"cmp"
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// PlanChange tells what ChangeSite would do.
func (p *Provider) PlanChange(ctx context.Context, a Actor, name string, c SiteChange) (*Plan, error) {
	s, err := p.planned(ctx, a, name)
	if err != nil {
		return nil, err
	}
	return p.Panel.planChange(ctx, s.Name, c, p.within(a, s))
}

// PlanSpec tells what it would do to give a site exactly a spec: what that leaves out goes
// back to its default. Of a site that there is not, or that is none of the actor's, it
// tells what making it for the actor would do, to who may make sites.
func (p *Provider) PlanSpec(ctx context.Context, a Actor, name string, spec *v1alpha1.DomainSpec) (*Plan, error) {
	s, err := p.planned(ctx, a, name)
	fresh := err != nil && CodeOf(err) == NotFound && Can(a, RightSiteCreate, Object{Owner: a.ID})
	if err != nil && !fresh {
		return nil, err
	}
	if fresh {
		s = &OwnedSite{}
		if s.Name, err = ParseNewName(name); err != nil {
			return nil, invalidField("name", sentence(err.Error()), nil)
		}
	}
	if spec.DomainName != s.Name {
		return nil, invalidField("spec.domainName", "The spec is that of another site; a plan of "+ShowBoth(s.Name)+" needs its own.", nil)
	}
	if fresh {
		return p.planNew(ctx, a, spec)
	}
	return p.Panel.planSpec(ctx, &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: s.Object}, Spec: *spec}, p.within(a, s))
}

// planNew tells what making a site for an actor would do.
func (p *Provider) planNew(ctx context.Context, a Actor, spec *v1alpha1.DomainSpec) (*Plan, error) {
	d := &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: spec.DomainName}, Spec: *spec.DeepCopy()}
	plan, err := p.Panel.plan(ctx, nil, d, p.within(a, nil))
	if err == nil || CodeOf(err) != Conflict {
		return plan, err
	}
	err = taken(d.Spec.DomainName, d.Spec.DomainName, false)
	if a.Role != Administrator {
		err = namesTaken(err, &OwnedSite{Name: d.Spec.DomainName})
	}
	e, _ := errors.AsType[*Error](err)
	return &Plan{Site: d.Spec.DomainName, Action: ActionCreate, Refused: refusals(e)}, nil
}

// PlanDelete tells what DeleteSite would do.
func (p *Provider) PlanDelete(ctx context.Context, a Actor, name string) (*Plan, error) {
	s, err := p.site(ctx, a, RightSiteDelete, name)
	if err != nil {
		return nil, err
	}
	return p.Panel.PlanDelete(ctx, s.Name)
}

// planned is a site of which a change is to be planned.
func (p *Provider) planned(ctx context.Context, a Actor, name string) (*OwnedSite, error) {
	s, err := p.site(ctx, a, RightSiteChange, name)
	if err != nil {
		return nil, err
	}
	return s, changing(s, SiteChange{})
}

// within judges a plan as ChangeSite does the change, and as CreateSite does of a new
// site, for which s is nil.
func (p *Provider) within(a Actor, s *OwnedSite) accepts {
	return func(ctx context.Context, was, wanted *v1alpha1.Domain) error {
		if err := cmp.Or(checkNewNames(was, wanted), p.unclaimed(ctx, a, was, wanted)); err != nil {
			return err
		}
		if s == nil {
			return p.makeable(ctx, a, wanted)
		}
		return p.changeable(ctx, a, was, wanted, s)
	}
}

// changeable tells whether ChangeSite would refuse a change.
func (p *Provider) changeable(ctx context.Context, a Actor, was, wanted *v1alpha1.Domain, s *OwnedSite) error {
	c := SiteChange{}
	if was.Spec.Suspended != wanted.Spec.Suspended {
		c.Suspended = &wanted.Spec.Suspended
	}
	if err := cmp.Or(placed(a, &was.Spec, &wanted.Spec), changing(s, c), p.reserved(names(wanted))); err != nil {
		return err
	}
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		_, err := p.retake(ctx, tx, a, was, wanted)
		return change{}, cmp.Or(err, errDryRun)
	})
	if errors.Is(err, errDryRun) {
		return nil
	}
	return err
}

// makeable tells whether CreateSite would refuse a site for the actor.
func (p *Provider) makeable(ctx context.Context, a Actor, wanted *v1alpha1.Domain) error {
	s := ownedSite(wanted, a.ID)
	s.State, s.CreatedAt = SiteCreating, p.Now()
	if err := cmp.Or(placed(a, &v1alpha1.DomainSpec{}, &wanted.Spec), p.reserved(s.Names)); err != nil {
		return err
	}
	return p.take(ctx, a, s, true)
}
