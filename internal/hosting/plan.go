package hosting

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Action is what happens to a site or to one of its objects.
type Action string

// Actions.
const (
	ActionNone   Action = "none"
	ActionCreate Action = "create"
	ActionChange Action = "change"
	ActionDelete Action = "delete"
)

// Plan is what a change of a site would do, told before anybody makes it. No
// value of a Secret or of an environment variable stands in it.
type Plan struct {
	// Site is the domain name.
	Site   string `json:"site"`
	Action Action `json:"action"`
	// Refused says why the change can't be made; nothing would happen then.
	Refused []Field `json:"refused,omitempty"`
	// Warnings are faults that the site lives with.
	Warnings []string `json:"warnings,omitempty"`
	// Spec are the fields of the Domain that change, defaults included.
	Spec []FieldChange `json:"spec,omitempty"`
	// Objects are those that the operator would create, change or delete.
	Objects  []ObjectChange `json:"objects,omitempty"`
	Effects  []Effect       `json:"effects,omitempty"`
	Downtime Downtime       `json:"downtime"`
	Quota    []QuotaChange  `json:"quota,omitempty"`
}

// Empty tells whether nothing would happen.
func (p *Plan) Empty() bool {
	return len(p.Spec) == 0 && len(p.Objects) == 0 && p.Action != ActionDelete
}

// ObjectChange is what happens to one object. Fields are listed for a change
// alone: what is created has all of its fields, what is deleted none.
type ObjectChange struct {
	Action Action `json:"action"`
	Kind   string `json:"kind"`
	// Namespace is empty for an object of the cluster and for one of MariaDB.
	Namespace string        `json:"namespace,omitempty"`
	Name      string        `json:"name"`
	Fields    []FieldChange `json:"fields,omitempty"`
}

// FieldChange is one field with its old and its new value; nil is not set.
type FieldChange struct {
	// Path is as in the object; an item of a list of named things stands under its
	// name: spec.containers[app].image.
	Path string `json:"path"`
	Old  any    `json:"old,omitempty"`
	New  any    `json:"new,omitempty"`
	// Hidden says that the values may be secret and are left out.
	Hidden bool `json:"hidden,omitempty"`
}

// EffectKind is what visitors or the site's programs may notice.
type EffectKind string

// Kinds of effects.
const (
	EffectStart   EffectKind = "start"   // the pod starts; the site did not serve before
	EffectRestart EffectKind = "restart" // the pod ends and another one starts
	EffectReload  EffectKind = "reload"  // programs read new configuration while they serve
	EffectStop    EffectKind = "stop"    // the pod ends and none starts
	EffectGrow    EffectKind = "grow"    // the volume grows while it is in use
	EffectRoutes  EffectKind = "routes"  // names or redirects at the edge change
)

// Effect is one of them.
type Effect struct {
	Kind EffectKind `json:"kind"`
	// Of names what it happens to: containers, a volume or host names.
	Of []string `json:"of,omitempty"`
}

// Downtime is how long visitors are expected to get no answer of the site.
type Downtime struct {
	// Seconds is an estimate, 0 when the site goes on answering.
	Seconds int `json:"seconds"`
	// Lasting says that the site does not answer until somebody asks for it.
	Lasting bool `json:"lasting,omitempty"`
	// Basis says what the estimate rests on.
	Basis string `json:"basis"`
}

// QuotaChange is what a site may use of one resource, before and after.
type QuotaChange struct {
	Resource string `json:"resource"`
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
}

// Planner knows what the operator would do.
type Planner interface {
	// Plan compares two states of a Domain; was is nil for a new one, d for one that
	// is deleted. Both have the API server's defaults.
	Plan(ctx context.Context, was, d *v1alpha1.Domain) (*Plan, error)
}

// accepts judges a state of a site that the API server would take; was is nil for a new
// site. It returns an Error that says why it can't be, if so.
type accepts func(ctx context.Context, was, d *v1alpha1.Domain) error

// PlanSite tells what it would do to give a site, which need not exist, exactly
// the spec of d: what that leaves out goes back to its default. Labels of d are
// added.
func (p *Panel) PlanSite(ctx context.Context, d *v1alpha1.Domain) (*Plan, error) {
	if _, err := p.Domains.Domain(ctx, d.Name); CodeOf(err) == NotFound && err != nil {
		return p.plan(ctx, nil, d.DeepCopy(), p.unclaimed)
	} else if err != nil {
		return nil, err
	}
	return p.planSpec(ctx, d, p.unclaimed)
}

// planSpec is PlanSite of a site that there is.
func (p *Panel) planSpec(ctx context.Context, d *v1alpha1.Domain, judge accepts) (*Plan, error) {
	return p.planEdit(ctx, judge, func() (was, wanted *v1alpha1.Domain, err error) {
		if was, err = p.Domains.Domain(ctx, d.Name); err != nil {
			return nil, nil, err
		}
		wanted = was.DeepCopy()
		wanted.Spec = *d.Spec.DeepCopy()
		for key, value := range d.Labels {
			metav1.SetMetaDataLabel(&wanted.ObjectMeta, key, value)
		}
		return was, wanted, nil
	})
}

// PlanChange tells what ChangeSite would do.
func (p *Panel) PlanChange(ctx context.Context, name string, change SiteChange) (*Plan, error) {
	return p.planChange(ctx, name, change, p.unclaimed)
}

func (p *Panel) planChange(ctx context.Context, name string, change SiteChange, judge accepts) (*Plan, error) {
	return p.planEdit(ctx, judge, func() (was, wanted *v1alpha1.Domain, err error) {
		if was, err = p.Site(ctx, name); err != nil {
			return nil, nil, err
		}
		wanted = was.DeepCopy()
		return was, wanted, p.apply(ctx, change, wanted)
	})
}

// PlanDelete tells what DeleteSite would do.
func (p *Panel) PlanDelete(ctx context.Context, name string) (*Plan, error) {
	was, err := p.Site(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := p.Writer.DeleteDomain(ctx, was, true); err != nil {
		return nil, err
	}
	return p.Planner.Plan(ctx, was, nil)
}

// planEdit reads and plans anew while somebody else writes the Domain.
func (p *Panel) planEdit(ctx context.Context, judge accepts, read func() (was, d *v1alpha1.Domain, err error)) (*Plan, error) {
	var err error
	for range conflictTries {
		var was, d *v1alpha1.Domain
		if was, d, err = read(); err != nil {
			return nil, err
		}
		if err = changeable(was); err != nil {
			return nil, err
		}
		var plan *Plan
		if plan, err = p.plan(ctx, was, d, judge); err == nil || CodeOf(err) != Conflict {
			return plan, err
		}
	}
	return nil, err
}

// plan asks the API server whether it takes d, which fills in its defaults, the judge
// whether it may be, and the planner what would come of it.
func (p *Panel) plan(ctx context.Context, was, d *v1alpha1.Domain, judge accepts) (*Plan, error) {
	action := ActionChange
	var err error
	switch {
	case was == nil:
		action, err = ActionCreate, p.Writer.CreateDomain(ctx, d, true)
	case !equality.Semantic.DeepEqual(was.Spec, d.Spec) || !equality.Semantic.DeepEqual(was.Labels, d.Labels):
		err = p.Writer.ChangeDomain(ctx, was, d, true)
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Code == Invalid {
		return &Plan{Site: d.Spec.DomainName, Action: action, Refused: refusals(e)}, nil
	}
	if err != nil {
		return nil, err
	}
	err = judge(ctx, was, d)
	if e, ok := errors.AsType[*Error](err); ok && slices.Contains([]Code{Invalid, OverQuota, Conflict}, e.Code) {
		return &Plan{Site: d.Spec.DomainName, Action: action, Refused: refusals(e)}, nil
	}
	if err != nil {
		return nil, err
	}
	return p.Planner.Plan(ctx, was, d)
}

// unclaimed refuses names that lead to another site of the cluster.
func (p *Panel) unclaimed(ctx context.Context, was, d *v1alpha1.Domain) error {
	all, err := p.Domains.Domains(ctx)
	if err != nil {
		return err
	}
	if was != nil {
		all = slices.DeleteFunc(all, func(other v1alpha1.Domain) bool { return other.Name == was.Name })
	}
	return free(d, all)
}

// refusals are the sentences of an answer, each with the field that it is about.
func refusals(e *Error) []Field {
	fields := slices.Clone(e.Fields)
	if e.Message != "" {
		fields = append(fields, Field{Message: e.Message})
	}
	return fields
}

// changeable refuses a site that is on its way out.
func changeable(d *v1alpha1.Domain) error {
	if d.DeletionTimestamp.IsZero() {
		return nil
	}
	return &Error{Code: Conflict,
		Message: fmt.Sprintf("The site %s is being deleted and can't be changed.", ShowBoth(d.Spec.DomainName)),
		Mend:    "Wait for it with: kubepanel site wait " + d.Spec.DomainName + " --for deleted"}
}
