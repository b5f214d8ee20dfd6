// Package plan answers one question: what would a change of a Domain do? It
// renders the site before and after and compares.
//
// It is pure: facts come in, a plan goes out. It must never read a cluster or a
// clock, nor name a value that may be secret.
package plan

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/hosting"
)

// Facts are what a plan is made from.
type Facts struct {
	Settings *platform.Settings
	// Was is nil for a new site, Wanted for one that is deleted.
	Was, Wanted *v1alpha1.Domain
	// Exists holds the Names of the objects that are there.
	Exists map[Name]bool
	// Kept holds the live Secrets of the Names that Forgotten asks for.
	Kept map[Name]*corev1.Secret
	// Claim is the live claim of the site's volume, nil when there is none. Grows
	// says that its storage class lets it grow.
	Claim *corev1.PersistentVolumeClaim
	Grows bool
	// LastStart is how long the present pod took from being made to being ready, 0
	// when that is not known.
	LastStart time.Duration
}

// Name of an object within one site.
type Name struct{ Kind, Namespace, Name string }

// kindDatabase stands for a database of MariaDB with its user.
const kindDatabase = "Database"

// Compute returns the plan of a change that the API server takes.
func Compute(f Facts) (*hosting.Plan, error) {
	if f.Wanted == nil {
		return remove(f)
	}
	p := &hosting.Plan{Site: f.Wanted.Spec.DomainName, Action: hosting.ActionChange}
	if f.Was == nil {
		p.Action = hosting.ActionCreate
	}
	after := desired.Site{Domain: f.Wanted, Platform: f.Settings}
	if err := check(after); err != nil {
		p.Refused = []hosting.Field{{Message: fmt.Sprintf("The operator refuses this: %s.", err)}}
		return p, nil
	}
	next, err := f.render(f.Wanted)
	if err != nil {
		p.Refused = []hosting.Field{{Message: fmt.Sprintf("The operator refuses this: %s.", err)}}
		return p, nil
	}
	p.Warnings = f.warnings(after)
	var last rendered
	if f.Was != nil {
		if last, err = f.render(f.Was); err != nil {
			p.Warnings = append(p.Warnings, fmt.Sprintf("The site's present spec is refused (%s), so which fields of objects change can't be told.", err))
		}
		if p.Spec, err = specChanges(f.Was, f.Wanted); err != nil {
			return nil, err
		}
	}
	if p.Objects, err = f.compare(last, next); err != nil {
		return nil, err
	}
	if p.Empty() {
		p.Action = hosting.ActionNone
	}
	f.assess(p, last, next)
	p.Quota = quota(f.Was, f.Wanted)
	return p, nil
}

// check is what the operator asks of a spec before it makes anything.
func check(s desired.Site) error {
	if _, err := time.LoadLocation(s.Domain.Spec.Timezone); err != nil {
		return fmt.Errorf("spec.timezone: there is no time zone %q", s.Domain.Spec.Timezone)
	}
	return s.Check()
}

func (f Facts) warnings(after desired.Site) []string {
	var all []string
	for _, fault := range after.SettingsFaults() {
		all = append(all, fault+". The site runs without it.")
	}
	if f.Claim == nil || f.Was == nil || f.Was.Spec.Resources.Storage == f.Wanted.Spec.Resources.Storage {
		return all
	}
	switch {
	case f.Claim.Status.Phase != corev1.ClaimBound:
		all = append(all, "The volume is not there yet, so it can't grow before it is.")
	case !f.Grows:
		all = append(all, "The storage class of the volume does not let volumes grow, so its size stays.")
	}
	return all
}

// rendered is a site as the operator would apply it. Secrets are without the
// values that were made up for them.
type rendered struct {
	order   []Name
	objects map[Name]runtime.Object
}

func (r *rendered) add(name Name, o runtime.Object) {
	if r.objects == nil {
		r.objects = map[Name]runtime.Object{}
	}
	r.order = append(r.order, name)
	r.objects[name] = o
}

func (f Facts) render(d *v1alpha1.Domain) (rendered, error) {
	site := desired.Site{Domain: d, Platform: f.Settings}
	objects, err := site.Objects(f.Claim)
	if err != nil {
		return rendered{}, err
	}
	objects = append(objects, site.SFTPSecret(desired.SFTPCredentials{}))
	database := d.Spec.Database.Enabled == nil || *d.Spec.Database.Enabled
	if database {
		objects = append(objects, site.DatabaseSecret(desired.DatabasePassword{}, nil))
	}
	if d.Spec.WordPress.Preinstall {
		objects = append(objects, site.WordPressSecret(""))
	}
	var r rendered
	for _, o := range objects {
		name, err := nameOf(o)
		if err != nil {
			return rendered{}, err
		}
		r.add(name, o)
	}
	if database {
		r.add(Name{Kind: kindDatabase, Name: desired.DatabaseName(d.Spec.DomainName)}, nil)
	}
	return r, nil
}

// Names returns every object that a plan may ask about.
func Names(f Facts) []Name {
	var all []Name
	seen := map[Name]bool{}
	for _, d := range []*v1alpha1.Domain{f.Was, f.Wanted} {
		if d == nil {
			continue
		}
		r, err := f.render(d)
		if err != nil {
			continue // the plan says so
		}
		kept := desired.Namespace(d.Spec.DomainName)
		for _, n := range append(r.order, Name{"Secret", kept, desired.SecretDatabase}, Name{"Secret", kept, desired.SecretWordPress}) {
			if !seen[n] && n.Kind != kindDatabase {
				all = append(all, n)
			}
			seen[n] = true
		}
	}
	return all
}

// Forgotten returns the Secrets that were made for an earlier spec, that the
// present one does not name and the wanted one names again. What is in them can
// only be read.
func Forgotten(f Facts) []Name {
	if f.Was == nil || f.Wanted == nil {
		return nil
	}
	last, lastErr := f.render(f.Was)
	next, nextErr := f.render(f.Wanted)
	if lastErr != nil || nextErr != nil {
		return nil // the plan says so
	}
	return slices.DeleteFunc(next.order, func(n Name) bool {
		_, named := last.objects[n]
		return n.Kind != "Secret" || named || !f.Exists[n]
	})
}

// before returns what an object is before the change, as far as the operator
// wrote it; nil when that is not known.
func (f Facts) before(n Name, last, next rendered) runtime.Object {
	want, ok := next.objects[n].(*corev1.Secret)
	live := f.Kept[n]
	if !ok || live == nil || last.objects[n] != nil {
		return last.objects[n]
	}
	was := want.DeepCopy()
	for key, made := range want.Data {
		if len(made) > 0 { // else it was made up once, and stays
			was.Data[key] = live.Data[key]
		}
	}
	return was
}

// has tells whether an object is there. Of a database the Domain's status knows.
func (f Facts) has(n Name) bool {
	if n.Kind == kindDatabase {
		return f.Was != nil && f.Was.Status.Database != nil
	}
	return f.Exists[n]
}

func quota(was, wanted *v1alpha1.Domain) []hosting.QuotaChange {
	var all []hosting.QuotaChange
	for _, r := range []struct {
		name string
		of   func(v1alpha1.ResourcesSpec) string
	}{
		{"cpu", func(r v1alpha1.ResourcesSpec) string { return r.Limits.CPU }},
		{"memory", func(r v1alpha1.ResourcesSpec) string { return r.Limits.Memory }},
		{"storage", func(r v1alpha1.ResourcesSpec) string { return r.Storage }},
	} {
		q := hosting.QuotaChange{Resource: r.name}
		if was != nil {
			q.Old = r.of(was.Spec.Resources)
		}
		if wanted != nil {
			q.New = r.of(wanted.Spec.Resources)
		}
		all = append(all, q)
	}
	return all
}
