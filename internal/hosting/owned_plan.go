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
// back to its default.
func (p *Provider) PlanSpec(ctx context.Context, a Actor, name string, spec *v1alpha1.DomainSpec) (*Plan, error) {
	s, err := p.planned(ctx, a, name)
	if err != nil {
		return nil, err
	}
	if spec.DomainName != s.Name {
		return nil, invalidField("spec.domainName", "The spec is that of another site; a plan of "+ShowBoth(s.Name)+" needs its own.", nil)
	}
	return p.Panel.planSpec(ctx, &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: s.Object}, Spec: *spec}, p.within(a, s))
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

// within judges a plan as ChangeSite does the change. Whose a name is stays the
// administrator's to know.
func (p *Provider) within(a Actor, s *OwnedSite) accepts {
	return func(ctx context.Context, was, wanted *v1alpha1.Domain) error {
		c := SiteChange{}
		if was.Spec.Suspended != wanted.Spec.Suspended {
			c.Suspended = &wanted.Spec.Suspended
		}
		if err := cmp.Or(placed(a, &was.Spec, &wanted.Spec), changing(s, c), p.reserved(names(wanted))); err != nil {
			return err
		}
		err := p.write(ctx, a, func(tx Tx) (change, error) { return change{}, cmp.Or(p.retake(ctx, tx, a, wanted), errDryRun) })
		if !errors.Is(err, errDryRun) {
			return err
		}
		if err = p.Panel.unclaimed(ctx, was, wanted); a.Role != Administrator {
			return namesTaken(err, s)
		}
		return err
	}
}
