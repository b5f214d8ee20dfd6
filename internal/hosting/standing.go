package hosting

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Standing is how a site is, in one word.
type Standing string

// How a site may be.
const (
	StandingCreating  Standing = "creating"
	StandingLive      Standing = "live"
	StandingChanging  Standing = "changing"
	StandingDegraded  Standing = "degraded"
	StandingStalled   Standing = "stalled"
	StandingSuspended Standing = "suspended"
	StandingDeleting  Standing = "deleting"
)

// Standings are all of them.
func Standings() []Standing {
	return []Standing{StandingCreating, StandingLive, StandingChanging, StandingDegraded, StandingStalled, StandingSuspended, StandingDeleting}
}

// StandingOf tells it from what the cluster says.
func StandingOf(s *OwnedSite) Standing {
	d := s.Domain
	switch {
	case s.State == SiteDeleting, d != nil && !d.DeletionTimestamp.IsZero():
		return StandingDeleting
	case d == nil, d.Status.Phase == "":
		return StandingCreating
	case StallOf(d) != nil:
		return StandingStalled
	case Live(d) && d.Spec.Suspended:
		return StandingSuspended
	case Live(d):
		return StandingLive
	}
	switch d.Status.Phase {
	case v1alpha1.DomainDegraded, v1alpha1.DomainFailed:
		return StandingDegraded
	case v1alpha1.DomainPending, v1alpha1.DomainProvisioning:
		return StandingCreating
	default:
	}
	return StandingChanging
}

// SiteFilter narrows sites by what the cluster says of them, which the database does not
// know.
type SiteFilter struct {
	Standing Standing
	Runtime  string // TYPE or TYPE:VERSION of the catalogue
}

// Check says which of its values no site can have. A runtime that the catalogue lacks is well:
// a site may run what is no longer offered.
func (f SiteFilter) Check() error {
	var wrong faults
	if f.Standing != "" && !slices.Contains(Standings(), f.Standing) {
		var all []string
		for _, s := range Standings() {
			all = append(all, string(s))
		}
		wrong.add("state", fmt.Sprintf("%q is no state of a site; the states are %s", f.Standing, strings.Join(all, ", ")))
	}
	if f.Runtime != "" {
		_, _, err := parseRuntime(f.Runtime)
		wrong.check("runtime", err)
	}
	return wrong.err()
}

// Matches tells whether a site is meant.
func (f SiteFilter) Matches(s *OwnedSite) bool {
	if f.Standing != "" && StandingOf(s) != f.Standing {
		return false
	}
	if f.Runtime == "" {
		return true
	}
	if s.Domain == nil {
		return false
	}
	kind, version, one := strings.Cut(f.Runtime, ":")
	w := s.Domain.Spec.Workload
	return kind == w.Type && (!one || version == w.Version)
}

// All sites are looked through for those that are meant: most people have less than
// firstLook, and ten thousand are read in two turns.
const (
	firstLook   = 500
	furtherLook = 10_000
)

// filteredSites looks on until a page is full and one more is found, or there are no more.
// Nobody counts, so the page has no total.
func (p *Provider) filteredSites(ctx context.Context, q SiteQuery) (Page[OwnedSite], error) {
	most, got := q.Limit, Page[OwnedSite]{}
	for q.Limit = firstLook; ; q.Limit = furtherLook {
		found, err := p.readSites(ctx, q)
		if err != nil {
			return got, err
		}
		for i := range found.Items {
			if !q.Matches(&found.Items[i]) {
				continue
			}
			if len(got.Items) == most {
				got.Next = got.Items[most-1].Name
				return got, nil
			}
			got.Items = append(got.Items, found.Items[i])
		}
		if q.After = found.Next; q.After == "" {
			return got, nil
		}
	}
}
