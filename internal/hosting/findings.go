package hosting

import (
	"context"
	"errors"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

// SiteFindings is what was found in a site, and how the panel looks for it.
type SiteFindings struct {
	Site *OwnedSite
	// Every is how often the site is looked through; 0: never, and nothing else is told.
	Every time.Duration
	// Report: harmful files stay where they are.
	Report bool
	Sweep  SiteSweep
	// Page has findings, the newest first. Its Total counts those on all pages that nobody
	// took for harmless.
	Page[Finding]
}

// Findings returns a page of what was found in a site, behind the one that ended with
// after; most is 0 for 50, and at most 200.
func (p *Provider) Findings(ctx context.Context, a Actor, name string, after ID, most int) (*SiteFindings, error) {
	s, err := p.site(ctx, a, RightSiteFiles, name)
	if err != nil {
		return nil, err
	}
	f := &SiteFindings{Site: s}
	if p.Scanning == nil || p.Scanning.Every <= 0 {
		return f, nil
	}
	f.Every, f.Report = p.Scanning.Every, p.Scanning.Report
	state, err := p.Store.SiteSweep(ctx, s.Name)
	if err != nil {
		return nil, err
	}
	f.Sweep = *state
	count, err := p.Store.CountFindings(ctx, []string{s.Name})
	if err != nil {
		return nil, err
	}
	most = limit(most)
	items, err := p.Store.Findings(ctx, FindingQuery{Site: s.Name, After: after, Limit: most + 1})
	f.Page = page(items, most, count[s.Name], func(f Finding) string { return string(f.ID) })
	return f, err
}

// CountFindings returns how many harmful files of each site nobody decided about; the
// sites are those that the actor sees.
func (p *Provider) CountFindings(ctx context.Context, sites []OwnedSite) (map[string]int64, error) {
	if p.Scanning == nil || p.Scanning.Every <= 0 {
		return nil, nil //nolint:nilnil // there is none of any
	}
	names := make([]string, len(sites))
	for i := range sites {
		names[i] = sites[i].Name
	}
	return p.Store.CountFindings(ctx, names)
}

// noScanner is the answer where no files are looked at.
func noScanner() error {
	return &Error{Code: NotInstalled, Message: "No scanner looks at the files of sites here.", Mend: "An administrator can switch one on: panel.scanner in the chart's values."}
}

// SweepSite has all files of a site looked at, as soon as it is its turn.
func (p *Provider) SweepSite(ctx context.Context, a Actor, name string) error {
	s, _, err := p.visit(ctx, a, RightSiteFiles, name)
	if err != nil {
		return err
	}
	if p.Scanning == nil || p.Scanning.Every <= 0 {
		return noScanner()
	}
	return p.write(ctx, a, func(tx Tx) (change, error) {
		state, err := tx.SiteSweep(ctx, s.Name)
		if err != nil || state.Asked {
			return change{}, err
		}
		state.Asked = true
		if state.Began == 0 {
			state.NextAt = p.Now()
		}
		return change{did: RightSiteFiles, object: s.Name, on: s.On(), after: FileDeed{Do: "sweep"}}, tx.PutSweep(ctx, state)
	})
}

// decision is what somebody wants of a finding.
type decision struct {
	site *OwnedSite
	id   ID
	do   string
}

// decide notes what somebody decides, and has the store take it. It returns what the
// finding was.
func (p *Provider) decide(ctx context.Context, a Actor, d decision, with func(tx Tx, f *Finding) error) (*Finding, error) {
	var was Finding
	s := d.site
	err := p.write(ctx, a, func(tx Tx) (change, error) {
		f, err := tx.Finding(ctx, s.Name, d.id)
		if err != nil {
			return change{}, seen(err)
		}
		was = *f
		deed := FileDeed{Do: d.do, Paths: []string{f.Shown()}, Found: f.Found, Size: f.Mark.Size}
		return change{did: RightSiteFiles, object: s.Name, on: s.On(), after: deed}, with(tx, f)
	})
	return &was, err
}

// RestoreFinding takes a file for harmless: what is in quarantine goes back where it was,
// and a file of that content is not taken again in this site. It replaces nothing.
func (p *Provider) RestoreFinding(ctx context.Context, a Actor, name string, id ID) error {
	s, v, err := p.visit(ctx, a, RightSiteFiles, name)
	if err != nil {
		return err
	}
	// First: a walk that comes by meanwhile must not take it again.
	was, err := p.decide(ctx, a, decision{s, id, orders.Release}, func(tx Tx, f *Finding) error {
		f.State, f.Fault, f.Until = FindingRestored, "", time.Time{}
		return tx.UpdateFinding(ctx, f)
	})
	if err != nil || was.State != FindingQuarantined {
		return err
	}
	err = p.quarantined(ctx, v, was, orders.Order{Do: orders.Release, Octets: was.Path, Part: was.part(), Mode: was.Mode})
	if err == nil {
		return nil
	}
	undone := p.Store.Write(context.WithoutCancel(ctx), func(tx Tx) error {
		if CodeOf(err) == NotFound { // removed there past the panel, or since its time was over
			return tx.DeleteFinding(ctx, id)
		}
		return tx.UpdateFinding(ctx, was)
	})
	return errors.Join(err, undone)
}

// DeleteFinding removes a harmful file for good, in quarantine or where it is. Of one that
// was restored it forgets that it is harmless: the next look takes it again.
func (p *Provider) DeleteFinding(ctx context.Context, a Actor, name string, id ID) error {
	return p.deleteFinding(ctx, a, name, id, func(*Finding) error { return nil })
}

// DoubtFinding forgets that a file was taken for harmless: the next look takes it again.
// Of one that was not it is a Conflict, since DeleteFinding would remove that.
func (p *Provider) DoubtFinding(ctx context.Context, a Actor, name string, id ID) error {
	return p.deleteFinding(ctx, a, name, id, func(f *Finding) error {
		if f.State != FindingRestored {
			return &Error{Code: Conflict, Message: "The file is not taken for harmless.", Mend: "Read it again and decide anew."}
		}
		return nil
	})
}

func (p *Provider) deleteFinding(ctx context.Context, a Actor, name string, id ID, unless func(*Finding) error) error {
	s, v, err := p.visit(ctx, a, RightSiteFiles, name)
	if err != nil {
		return err
	}
	was, err := p.decide(ctx, a, decision{s, id, orders.Discard}, func(_ Tx, f *Finding) error { return unless(f) })
	if err != nil {
		return err
	}
	switch was.State {
	case FindingRestored:
		if err := p.SweepSite(ctx, a, name); err != nil && CodeOf(err) != NotInstalled {
			return err
		}
	case FindingPresent:
		err := p.quarantined(ctx, v, was, orders.Order{Do: orders.Quarantine, Octets: was.Path, Only: &was.Mark, Part: was.part()})
		if err != nil && CodeOf(err) != NotFound {
			return err
		}
		fallthrough
	case FindingQuarantined:
		if err := p.quarantined(ctx, v, was, orders.Order{Do: orders.Discard, Part: was.part()}); err != nil {
			return err
		}
	}
	return p.Store.Write(ctx, func(tx Tx) error { return tx.DeleteFinding(ctx, id) })
}

// quarantined has the toolbox do something with a harmful file.
func (p *Provider) quarantined(ctx context.Context, v Visit, f *Finding, o orders.Order) error {
	answer, err := p.Door.Order(ctx, v, o, nil, nil)
	if err != nil {
		return err
	}
	answer.Path = f.Shown()
	return told(answer)
}
