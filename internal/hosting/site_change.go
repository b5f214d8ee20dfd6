package hosting

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// SiteChange is a request to change a site; nil leaves as it is.
type SiteChange struct {
	// Runtime is TYPE or TYPE:VERSION of the site's own type; PHP a version of PHP.
	Runtime *string
	PHP     *string
	// Settings of the runtime, each KEY=VALUE, or KEY= for the default.
	Settings  []string
	Storage   *string
	Suspended *bool

	SiteAspects

	// generation is the only one of the Domain that the change is for; 0 is any.
	generation int64
}

// conflictTries is how often a change is made anew on a site that somebody else,
// usually the operator, wrote meanwhile.
const conflictTries = 5

// ChangeSite changes a site and tells whether there was anything to change. It
// returns Invalid with every fault of the request.
func (p *Panel) ChangeSite(ctx context.Context, name string, change SiteChange, dryRun bool) (d *v1alpha1.Domain, changed bool, err error) {
	for range conflictTries {
		var was *v1alpha1.Domain
		if was, err = p.Site(ctx, name); err != nil {
			return nil, false, err
		}
		if err = changeable(was); err != nil {
			return nil, false, err
		}
		if change.generation != 0 && change.generation != was.Generation {
			return nil, false, changedMeanwhile()
		}
		d = was.DeepCopy()
		if err = p.apply(ctx, change, d); err != nil {
			return nil, false, err
		}
		if equality.Semantic.DeepEqual(was.Spec, d.Spec) {
			return d, false, nil
		}
		if err = p.Writer.ChangeDomain(ctx, was, d, dryRun); CodeOf(err) != Conflict || err == nil {
			return d, true, err
		}
	}
	return nil, false, err
}

func (p *Panel) apply(ctx context.Context, change SiteChange, d *v1alpha1.Domain) error {
	var f faults
	if change.Suspended != nil {
		d.Spec.Suspended = *change.Suspended
	}
	if change.Storage != nil {
		f.check("storage", grow(&d.Spec.Resources, *change.Storage))
	}
	change.apply(d, &f)
	if err := p.fromCatalogue(ctx, change, d, &f); err != nil {
		return err
	}
	change.image(&d.Spec.Workload, &f) // last: another version takes an image away
	return f.err()
}

// fromCatalogue applies what the catalogue has a say in.
func (p *Panel) fromCatalogue(ctx context.Context, change SiteChange, d *v1alpha1.Domain, f *faults) error {
	if change.Runtime == nil && change.PHP == nil && len(change.Settings) == 0 && change.Port == nil && change.ProxyMode == nil {
		return nil
	}
	settings, err := p.Platform.Settings(ctx)
	if err != nil {
		return err
	}
	if change.PHP != nil {
		f.check("php", rerun(settings, d, PHP, *change.PHP))
	}
	if change.Runtime != nil {
		kind, version, err := parseRuntime(*change.Runtime)
		if f.check("runtime", err) {
			f.check("runtime", rerun(settings, d, kind, version))
		}
	}
	change.reach(settings, &d.Spec.Workload, f) // after another version, which takes an image's away
	f.check("setting", set(settings, &d.Spec.Workload, change.Settings))
	return nil
}

// rerun takes another version of the site's runtime. Another runtime would serve
// the files of this one as something that they are not: PHP's source, passwords
// included, as plain text. An image of the site's own ends with it, and what that listened on.
func rerun(settings *platform.Settings, d *v1alpha1.Domain, kind, version string) error {
	if have := d.Spec.Workload.Type; have != kind {
		return fmt.Errorf("%s runs %s, not %s; make a new site for %s",
			ShowBoth(d.Spec.DomainName), RuntimeName(settings, have), RuntimeName(settings, kind), RuntimeName(settings, kind))
	}
	runs, err := choose(settings, kind, version)
	if err != nil {
		return err
	}
	w := &d.Spec.Workload
	if w.Image != "" && Reached(settings, kind) {
		w.Port, w.ProxyMode = runs.port, v1alpha1.ProxyMode(runs.proxyMode)
	}
	w.Version, w.Image = runs.version, ""
	return nil
}

// grow sets a larger size. A volume can't shrink: the file system would lose
// what lies at its end.
func grow(r *v1alpha1.ResourcesSpec, input string) error {
	want, err := ParseStorage(input)
	if err != nil {
		return err
	}
	have, err := ParseStorage(r.Storage)
	if err != nil {
		return fmt.Errorf("the present storage size %q can't be read; set spec.resources.storage with kubectl", r.Storage)
	}
	if want < have {
		return fmt.Errorf("storage can't shrink: the site has %s and %s was asked for; ask for %s or more", r.Storage, input, r.Storage)
	}
	if want > have {
		r.Storage = fmt.Sprintf("%dGi", want)
	}
	return nil
}
