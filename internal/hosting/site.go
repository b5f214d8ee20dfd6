package hosting

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// DomainReader reads Domains by the name of the object.
type DomainReader interface {
	// Domain returns NotFound when there is none.
	Domain(ctx context.Context, object string) (*v1alpha1.Domain, error)
	Domains(ctx context.Context) ([]v1alpha1.Domain, error)
}

// DomainWriter writes Domains. DryRun asks the API server to check everything
// and to write nothing.
type DomainWriter interface {
	// CreateDomain returns Conflict when the name is taken.
	CreateDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error
	// ChangeDomain writes what differs between was and d. It returns Conflict when
	// was is not the newest version.
	ChangeDomain(ctx context.Context, was, d *v1alpha1.Domain, dryRun bool) error
	// DeleteDomain deletes this very Domain, not a later one of its name.
	DeleteDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error
}

// Panel is the set of things a customer can do.
type Panel struct {
	Domains  DomainReader
	Writer   DomainWriter
	Platform Platform
	Planner  Planner
	Logs     LogReader
	Cron     CronReader
	Meter    Meter
	Accesses Accesses
}

// Site finds a site by its name, in Unicode or ASCII.
func (p *Panel) Site(ctx context.Context, input string) (*v1alpha1.Domain, error) {
	name, err := ParseName(input)
	if err != nil {
		return nil, &Error{Code: Invalid, Fields: []Field{{"name", sentence(err.Error())}}}
	}
	d, err := p.Domains.Domain(ctx, name)
	if err == nil && d.Spec.DomainName == name {
		return d, nil
	}
	if err != nil && CodeOf(err) != NotFound {
		return nil, err
	}
	// Domains that were not made by us may carry any object name.
	all, err := p.Domains.Domains(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Spec.DomainName == name {
			return &all[i], nil
		}
	}
	return nil, noSite(name, all)
}

func noSite(name string, all []v1alpha1.Domain) error {
	e := &Error{Code: NotFound, Message: fmt.Sprintf("There is no site %s.", ShowBoth(name)),
		Mend: "See which there are with: kubepanel site list"}
	for _, d := range all {
		if slices.ContainsFunc(d.Spec.Aliases, func(a v1alpha1.DomainAlias) bool { return a.Name == name }) {
			e.Mend = fmt.Sprintf("It is an alias of the site %s: use that name.", ShowBoth(d.Spec.DomainName))
		}
	}
	return e
}

// Sites returns all sites, ordered by name.
func (p *Panel) Sites(ctx context.Context) ([]v1alpha1.Domain, error) {
	all, err := p.Domains.Domains(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b v1alpha1.Domain) int { return strings.Compare(a.Spec.DomainName, b.Spec.DomainName) })
	return all, nil
}

// CreateSite makes a site, or with dryRun only says whether it could and what
// would be made. It returns Invalid with every fault of the request, and
// Conflict when a name is taken.
func (p *Panel) CreateSite(ctx context.Context, req NewSite, dryRun bool) (*v1alpha1.Domain, error) {
	if err := req.Check(); err != nil {
		return nil, err
	}
	settings, err := p.Platform.Settings(ctx)
	if err != nil {
		return nil, err
	}
	d, err := req.domain(settings)
	if err != nil {
		return nil, err
	}
	all, err := p.Domains.Domains(ctx)
	if err != nil {
		return nil, err
	}
	if err := free(d, all); err != nil {
		return nil, err
	}
	asked := d.DeepCopy()
	if err := p.Writer.CreateDomain(ctx, d, dryRun); err != nil {
		if CodeOf(err) == Conflict {
			return nil, taken(d.Spec.DomainName, d.Spec.DomainName, false)
		}
		return nil, err
	}
	if dryRun {
		return asked, nil
	}
	return d, nil
}

// DeleteSite deletes a site with everything that belongs to it.
func (p *Panel) DeleteSite(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	return p.Writer.DeleteDomain(ctx, d, dryRun)
}

// free says whether every name of a new site is nobody's yet.
func free(d *v1alpha1.Domain, all []v1alpha1.Domain) error {
	for i := range all {
		other := &all[i]
		theirs := names(other)
		for _, name := range names(d) {
			if slices.Contains(theirs, name) {
				return taken(name, other.Spec.DomainName, !other.DeletionTimestamp.IsZero())
			}
		}
		if other.Name == d.Name { // somebody gave another site's object our name
			return taken(d.Name, other.Spec.DomainName, !other.DeletionTimestamp.IsZero())
		}
	}
	return nil
}

func taken(name, by string, leaving bool) error {
	e := &Error{Code: Conflict, Message: fmt.Sprintf("The name %s is taken: there is already a site of that name.", ShowBoth(name)),
		Mend: fmt.Sprintf("Choose another name, or look at it with: kubepanel site show %s", by)}
	if name != by {
		e.Message = fmt.Sprintf("The name %s is taken: it belongs to the site %s.", ShowBoth(name), ShowBoth(by))
	}
	if leaving {
		e.Message = fmt.Sprintf("The name %s is taken until the site %s is deleted, which is going on.", ShowBoth(name), ShowBoth(by))
		e.Mend = "Wait for it with: kubepanel site wait " + by + " --for deleted"
	}
	return e
}

// names returns every name that leads to a site: its own, the www form of that,
// which comes along, and its aliases.
func names(d *v1alpha1.Domain) []string {
	list := append(make([]string, 0, 2+len(d.Spec.Aliases)), d.Spec.DomainName)
	if www := "www." + d.Spec.DomainName; !strings.HasPrefix(d.Spec.DomainName, "www.") && len(www) <= maxName {
		list = append(list, www)
	}
	for _, a := range d.Spec.Aliases {
		if !slices.Contains(list, a.Name) {
			list = append(list, a.Name)
		}
	}
	return list
}

// sentence makes a fault one that can stand alone.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	text = string(unicode.ToUpper(first)) + text[size:]
	if last := text[len(text)-1]; last == '.' || last == '!' || last == '?' {
		return text
	}
	return text + "."
}
