package web

import (
	"net/http"
	"net/url"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
)

// siteFindings is the page of the harmful files that were found in a site.
type siteFindings struct {
	sitePage

	*hosting.SiteFindings

	// Further is the address of the next page; "" on the last.
	Further string
	// Done says in a sentence what was just done.
	Done  string
	Wrong faults
}

func findingsURL(site string) string { return siteURL(site) + "/files/findings" }

func (s *Server) findings(r *http.Request) (*siteFindings, error) {
	found, err := s.Rules.Findings(r.Context(), actor(r.Context()), r.PathValue("site"), hosting.ID(r.FormValue("after")), 0)
	if err != nil {
		return nil, err
	}
	page, err := s.site(r, "/files")
	if err != nil {
		return nil, err
	}
	p := &siteFindings{sitePage: page, SiteFindings: found}
	if found.Next != "" {
		p.Further = findingsURL(found.Site.Name) + "?" + url.Values{"after": {found.Next}}.Encode()
	}
	p.Done = map[string]string{
		"look": p.T("All files are looked at as soon as it is the site's turn."), "restore": p.T("It is taken for harmless, and lies where it was."),
		"delete": p.T("It is gone for good."),
	}[r.URL.Query().Get("done")]
	return p, nil
}

func (s *Server) showFindings(w http.ResponseWriter, r *http.Request) error {
	p, err := s.findings(r)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// decideFinding does what somebody decided about one harmful file, or has all files looked
// at.
func (s *Server) decideFinding(w http.ResponseWriter, r *http.Request) error {
	ctx, a, site := r.Context(), actor(r.Context()), r.PathValue("site")
	do, id := r.PostFormValue("do"), hosting.ID(r.PostFormValue("finding"))
	var err error
	switch do {
	case "look":
		err = s.Rules.SweepSite(ctx, a, site)
	case "restore":
		err = s.Rules.RestoreFinding(ctx, a, site, id)
	case "delete":
		if _, err = s.Rules.SiteFor(ctx, a, hosting.RightSiteFiles, site); err == nil {
			err = ticked(r)
		}
		if err == nil {
			err = s.Rules.DeleteFinding(ctx, a, site, id)
		}
	case "again":
		err, do = s.Rules.DoubtFinding(ctx, a, site, id), "look"
	default:
		err = &hosting.Error{Code: hosting.Invalid, Message: "Nothing is chosen."}
	}
	if err == nil {
		return seeOther(w, r, findingsURL(site)+"?done="+do)
	}
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p, err := s.findings(r)
	if err != nil {
		return err
	}
	p.Wrong = wrong
	return show(w, r, wrong.Status, p.view())
}

// keptDays is after how many days what is in quarantine is removed; 0 for never.
func (p siteFindings) keptDays() int {
	for i := range p.Items {
		if f := &p.Items[i]; f.State == hosting.FindingQuarantined && !f.Until.IsZero() {
			return int(f.Until.Sub(f.FoundAt).Round(24*time.Hour) / (24 * time.Hour))
		}
	}
	return 0
}

// stands is what became of a finding, in one word.
func (p siteFindings) stands(f *hosting.Finding) badge {
	switch f.State {
	case hosting.FindingQuarantined:
		return badge{p.T("In quarantine"), "warn"}
	case hosting.FindingRestored:
		return badge{p.T("Taken for harmless"), ""}
	case hosting.FindingPresent:
	}
	return badge{p.T("Still there"), "bad"}
}

// stays says why a harmful file is still there; "" where it is to be.
func (p siteFindings) stays(f *hosting.Finding) string {
	switch {
	case f.State != hosting.FindingPresent || f.Fault == "":
		return ""
	case f.Fault == orders.Full:
		return p.T("It could not be moved: the site's storage is full.")
	case f.Fault == orders.Refused:
		return p.T("It could not be moved: the permissions of its folder forbid it.")
	}
	return p.T("It could not be moved; that is tried again with each look.")
}

// halted says why the site is not looked through; "" when it is.
func (p siteFindings) halted() string {
	switch p.Sweep.Fault {
	case hosting.SweepScanner:
		return p.T("The scanner does not answer. It is tried again in some minutes.")
	case hosting.SweepSite:
		return p.T("The site's file server does not answer. It is tried again in some minutes.")
	case hosting.SweepClosed:
		return p.T("The site is closed. It is looked through when it is open again.")
	case hosting.SweepOld:
		return p.T("The site's tools are older than the panel. It is looked through after its next restart.")
	}
	return ""
}

// harmful counts the harmful files of sites, by their names.
func (s *Server) harmful(r *http.Request, f *frame, sites ...hosting.OwnedSite) (map[string]int64, error) {
	var mine []hosting.OwnedSite
	for i := range sites {
		if f.Can(hosting.RightSiteFiles, sites[i].On()) {
			mine = append(mine, sites[i])
		}
	}
	return s.Rules.CountFindings(r.Context(), mine)
}
