package hosting

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Meter tells what sites use at the moment.
type Meter interface {
	// Uses returns what all pods of each site's namespace use. It returns NotInstalled
	// where the cluster has no metrics.k8s.io.
	Uses(ctx context.Context) (map[string]Use, error)
}

// Use is what something uses.
type Use struct {
	CPU    int64 // thousandths of a core
	Memory int64 // bytes
}

// Measured tells whether it was measured at all: whatever runs uses memory.
func (u Use) Measured() bool { return u.Memory > 0 }

// Sample is what a site used during a span of time, on average of what was measured.
type Sample struct {
	At time.Time // the beginning of the span
	Use

	Storage int64 // bytes; 0 where it was not measured
}

// Span is how long a sample stands for, and how long it is kept.
type Span struct{ Long, Kept time.Duration }

// Spans of samples: a day by five minutes, and a month by the hour.
var (
	SpanDay   = Span{5 * time.Minute, 26 * time.Hour}
	SpanMonth = Span{time.Hour, 32 * 24 * time.Hour}
)

// SampleReader reads what sites used.
type SampleReader interface {
	// Samples returns a site's since a time, the oldest first.
	Samples(ctx context.Context, site string, s Span, since time.Time) ([]Sample, error)
	// LastUses returns what each of some sites used in its newest span with a measurement
	// that began at a time or later; sites without one are left out.
	LastUses(ctx context.Context, sites []string, s Span, since time.Time) (map[string]Use, error)
	// LastSampled is when samples were taken last; the zero time for never.
	LastSampled(ctx context.Context) (time.Time, error)
}

// SampleWriter writes what sites use.
type SampleWriter interface {
	// TakeTurn tells whether it is holder's turn to take samples, which nobody else has
	// until a time.
	TakeTurn(ctx context.Context, holder string, now, until time.Time) (bool, error)
	// AddSamples adds measurements to the averages of the spans that they fall into.
	AddSamples(ctx context.Context, s Span, by map[string]Sample) error
	// DropSamples removes what is older than a span keeps.
	DropSamples(ctx context.Context, s Span, now time.Time) error
}

// turn is how long one replica of the panel takes samples for all, after it was seen
// last.
const turn = 150 * time.Second

// Measure takes one measurement of all sites, unless another replica does. Whoever
// calls it does so once a minute, under a name that no other replica has.
func (p *Provider) Measure(ctx context.Context, holder string) error {
	now := p.Now().UTC()
	ours := false
	err := p.Store.Write(ctx, func(tx Tx) error {
		var err error
		ours, err = tx.TakeTurn(ctx, holder, now, now.Add(turn))
		return err
	})
	if err != nil || !ours {
		return err
	}
	uses, err := p.Panel.Meter.Uses(ctx)
	if err != nil && CodeOf(err) != NotInstalled { // storage is known all the same
		return err
	}
	domains, err := p.Panel.Domains.Domains(ctx)
	if err != nil {
		return err
	}
	by := map[string]Sample{}
	for i := range domains {
		d := &domains[i]
		s := Sample{At: now, Use: uses[d.Status.Namespace]}
		if d.Status.Storage != nil {
			if used, err := resource.ParseQuantity(d.Status.Storage.Used); err == nil {
				s.Storage = used.Value()
			}
		}
		if s.Use != (Use{}) || s.Storage > 0 {
			by[d.Spec.DomainName] = s
		}
	}
	return p.Store.Write(ctx, func(tx Tx) error {
		for _, span := range []Span{SpanDay, SpanMonth} {
			if err := tx.AddSamples(ctx, span, by); err != nil {
				return err
			}
			if err := tx.DropSamples(ctx, span, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// addUses tells of each site what it used in the last minutes.
func (p *Provider) addUses(ctx context.Context, sites []OwnedSite) error {
	if len(sites) == 0 {
		return nil
	}
	names := make([]string, len(sites))
	for i := range sites {
		names[i] = sites[i].Name
	}
	// The newest span may have begun a moment ago, without a measurement yet.
	uses, err := p.Store.LastUses(ctx, names, SpanDay, p.Now().Add(-2*SpanDay.Long))
	if err != nil {
		return err
	}
	for i := range sites {
		if use, known := uses[sites[i].Name]; known {
			sites[i].Use = &use
		}
	}
	return nil
}

// History is what a site used.
type History struct {
	Span    Span
	Since   time.Time
	Samples []Sample
	// Measured says that samples are taken at all: a cluster without metrics.k8s.io has
	// none.
	Measured bool
}

// SiteUses returns what a site used during the last day, or month.
func (p *Provider) SiteUses(ctx context.Context, a Actor, name string, month bool) (*History, error) {
	s, err := p.site(ctx, a, RightSiteView, name)
	if err != nil {
		return nil, err
	}
	h := &History{Span: SpanDay, Since: p.Now().Add(-24 * time.Hour)}
	if month {
		h.Span, h.Since = SpanMonth, p.Now().Add(-30*24*time.Hour)
	}
	if h.Samples, err = p.Store.Samples(ctx, s.Name, h.Span, h.Since); err != nil {
		return nil, err
	}
	last, err := p.Store.LastSampled(ctx)
	h.Measured = p.Now().Sub(last) < SpanDay.Kept
	return h, err
}
