package domain

import (
	"context"
	"time"
	_ "time/tzdata" // the platform's image has no time zone database

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// claim lets nothing be made for a Domain that asks for what cannot be, or for a
// name that is another's.
func (r *Reconciler) claim(ctx context.Context, d *v1alpha1.Domain) error {
	if !asFound(d) {
		if err := r.check(d); err != nil {
			return err
		}
	}
	for _, host := range desired.Hosts(d) {
		w, err := r.holder(ctx, host)
		if err != nil {
			return err
		}
		if w != nil && w.UID != d.UID {
			return operator.Stall(v1alpha1.ReasonNameTaken,
				"The name %s belongs to Domain %s. Delete that Domain or take the name away from one of the two.", host, w.Name)
		}
	}
	return nil
}

// check tells what can't be had on this platform.
func (r *Reconciler) check(d *v1alpha1.Domain) error {
	if err := r.site(d).Check(); err != nil {
		return operator.Stall("InvalidSpec", "%s.", err)
	}
	if _, err := time.LoadLocation(d.Spec.Timezone); err != nil {
		return operator.Stall("InvalidSpec", "spec.timezone: there is no time zone %q; give an IANA name such as Europe/Berlin.", d.Spec.Timezone)
	}
	return nil
}

// holder returns the Domain that a name belongs to.
func (r *Reconciler) holder(ctx context.Context, host string) (*v1alpha1.Domain, error) {
	all, err := r.hosts.Find(ctx, host)
	return winner(host, all), err
}

// winner decides who of several has a name: the one whose own name it is and who
// lives under it already, so that nobody can take it from there by adding an
// alias; else one who lives already; else the oldest.
func winner(host string, domains []*v1alpha1.Domain) *v1alpha1.Domain {
	var w *v1alpha1.Domain
	for _, d := range domains {
		if w == nil || before(d, w, host) {
			w = d
		}
	}
	return w
}

func before(a, b *v1alpha1.Domain, host string) bool {
	if ra, rb := rank(a, host), rank(b, host); ra != rb {
		return ra > rb
	}
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Name < b.Name
}

// rank tells how well a Domain's claim stands, apart from its age. Time stamps
// count seconds, so two of the same second must not change places later.
func rank(d *v1alpha1.Domain, host string) int {
	switch {
	case d.Status.Namespace == "":
		return 0
	case d.Spec.DomainName != host:
		return 1
	default:
		return 2
	}
}
