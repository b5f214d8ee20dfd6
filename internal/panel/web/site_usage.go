package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"kubepanel.io/kubepanel/internal/hosting"
)

// siteUsage is the page of what a site used.
type siteUsage struct {
	sitePage

	Month   bool
	History *hosting.History
	Plots   []plot
	// Blind says that the cluster measures neither processor time nor memory.
	Blind bool
	Rows  []usageRow
	Zone  *time.Location
}

func (s *Server) siteUsage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.site(r, "/usage")
	if err != nil {
		return err
	}
	p := siteUsage{sitePage: page, Month: r.FormValue("span") == "month", Zone: zoneOf(page.Domain.Spec.Timezone)}
	if p.History, err = s.Rules.SiteUses(r.Context(), p.Actor, p.Row.Name, p.Month); err != nil {
		return err
	}
	p.Blind = true
	for _, one := range p.History.Samples {
		p.Blind = p.Blind && !one.Measured()
	}
	p.draw()
	p.tabulate()
	return show(w, r, http.StatusOK, p.view())
}

// draw makes the plots.
func (p *siteUsage) draw() {
	limits, storage := p.Domain.Spec.Resources.Limits, p.Domain.Spec.Resources.Storage
	all := []plot{
		{Name: "cpu", Title: p.T("Processor (cores)"), Limit: quantity(limits.CPU, true), of: func(s hosting.Sample) (int64, bool) { return s.CPU, s.Measured() }, text: milli},
		{Name: "memory", Title: p.T("Memory"), Limit: quantity(limits.Memory, false), of: func(s hosting.Sample) (int64, bool) { return s.Memory, s.Measured() }, text: bytesText},
		{Name: "storage", Title: p.T("Storage"), Limit: quantity(storage, false), of: func(s hosting.Sample) (int64, bool) { return s.Storage, s.Storage > 0 }, text: bytesText},
	}
	if p.Blind {
		all = all[2:]
	}
	for _, one := range all {
		one.render(p.History, p.now)
		p.Plots = append(p.Plots, one)
	}
}

// tabulate sums the samples up by the hour, or of a month by the day.
func (p *siteUsage) tabulate() {
	long, form := time.Hour, "2006-01-02 15:04"
	if p.Month {
		long, form = 24*time.Hour, "2006-01-02"
	}
	for _, one := range p.History.Samples {
		from := one.At.Truncate(long)
		if n := len(p.Rows); n == 0 || !p.Rows[n-1].from.Equal(from) {
			p.Rows = append(p.Rows, usageRow{from: from, At: from.In(p.Zone).Format(form)})
		}
		p.Rows[len(p.Rows)-1].add(one)
	}
}

// usageRow is an hour or a day of the table.
type usageRow struct {
	from time.Time

	At                   string
	CPU, Memory, Storage average
}

func (r *usageRow) add(s hosting.Sample) {
	if s.Measured() {
		r.CPU.add(s.CPU)
		r.Memory.add(s.Memory)
	}
	if s.Storage > 0 {
		r.Storage.add(s.Storage)
	}
}

// average is of what was measured.
type average struct{ sum, n int64 }

func (a *average) add(one int64) { a.sum, a.n = a.sum+one, a.n+1 }

// in writes it; what was never measured is no 0.
func (a average) in(text func(int64) string) string {
	if a.n == 0 {
		return "–"
	}
	return text(a.sum / a.n)
}

// quantity is an amount in thousandths or as a whole; 0 for none.
func quantity(text string, milli bool) int64 {
	q, err := resource.ParseQuantity(text)
	switch {
	case err != nil:
		return 0
	case milli:
		return q.MilliValue()
	}
	return q.Value()
}

// milli writes thousandths of a core as cores.
func milli(n int64) string { return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64) }

// Measures of a plot, in its own units.
const (
	plotWide = 640
	plotHigh = 140
)

// plot is a line of a site's use over time, below the line of its limit.
type plot struct {
	Name, Title string
	Limit       int64

	// Lines are the points of each stretch without a gap; LimitAt is the height of the limit.
	Lines   []string
	LimitAt string
	Top     string // what the upper edge stands for
	Newest  string // of the newest sample

	of   func(hosting.Sample) (n int64, measured bool)
	text func(int64) string
}

// render places the samples. A gap of more than two spans is one.
func (p *plot) render(h *hosting.History, now time.Time) {
	top := max(p.Limit, 1)
	for _, s := range h.Samples {
		n, _ := p.of(s)
		top = max(top, n)
	}
	height := func(n int64) string {
		return strconv.FormatFloat(plotHigh-float64(n)/float64(top)*(plotHigh-10), 'f', 1, 64)
	}
	p.LimitAt, p.Top = height(p.Limit), p.text(top)
	var line []string
	var last time.Time
	whole := now.Sub(h.Since).Seconds()
	for _, s := range h.Samples {
		n, measured := p.of(s)
		if !measured {
			continue
		}
		if len(line) > 0 && s.At.Sub(last) > 2*h.Span.Long {
			p.Lines, line = append(p.Lines, strings.Join(line, " ")), nil
		}
		x := s.At.Sub(h.Since).Seconds() / whole * plotWide
		line = append(line, fmt.Sprintf("%.1f,%s", min(max(x, 0), plotWide), height(n)))
		last, p.Newest = s.At, p.text(n)
	}
	if len(line) > 0 {
		p.Lines = append(p.Lines, strings.Join(line, " "))
	}
}

// LimitText is the limit for people.
func (p plot) LimitText() string { return p.text(p.Limit) }
