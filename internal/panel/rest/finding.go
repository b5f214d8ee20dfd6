package rest

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) findings() {
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/findings", id: "listFindings", summary: "List the harmful files that were found in a site, the newest first", scope: hosting.RightSiteFiles,
		says: "Without a scanner there are none, and nothing is said of looks."}, s.listFindings)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/findings/{finding}/restore", id: "restoreFinding", summary: "Take a file for harmless", scope: hosting.RightSiteFiles,
		status: http.StatusNoContent, long: true, says: "From quarantine it goes back where it was, unless something is there. A file of that content is not taken again in this site."}, s.restoreFinding)
	handle(s, operation{method: http.MethodDelete, path: "/sites/{site}/findings/{finding}", id: "deleteFinding", summary: "Remove a harmful file for good", scope: hosting.RightSiteFiles,
		status: http.StatusNoContent, long: true, says: "Of one that was restored it is forgotten that it is harmless; the file stays, and is looked at again."}, s.deleteFinding)
	handle(s, operation{method: http.MethodPost, path: "/sites/{site}/sweep", id: "sweepSite", summary: "Look at all files of a site now", scope: hosting.RightSiteFiles,
		status: http.StatusAccepted, says: "As soon as it is the site's turn; listFindings says how it goes."}, s.sweepSite)
}

// Finding is a harmful file.
type Finding struct {
	ID   hosting.ID `json:"id"`
	Path string     `json:"path" doc:"Where it is or was. Octets that are no UTF-8 are replaced; then octets has the path as it is." example:"/html/wp-content/uploads/x.php"`
	// Octets is left out of a path that is UTF-8.
	Octets []byte               `json:"octets,omitempty"`
	Found  string               `json:"found" doc:"What the scanner calls it."`
	State  hosting.FindingState `json:"state" enum:"present,quarantined,restored" doc:"present: it is still there; restored: somebody took it for harmless."`
	Fault  string               `json:"fault,omitempty" doc:"Why it could not be moved."`
	Sum    string               `json:"sum" doc:"SHA-256 of its content, in hexadecimal digits."`
	Size   int64                `json:"size"`
	At     time.Time            `json:"at" doc:"When it was found."`
	Until  *time.Time           `json:"until,omitempty" doc:"When it is removed from quarantine for good."`
}

// Look is how the panel looks through a site.
type Look struct {
	Running bool               `json:"running" doc:"A look is under way; the numbers are its."`
	EndedAt *time.Time         `json:"endedAt,omitempty" doc:"When the last one ended."`
	NextAt  *time.Time         `json:"nextAt,omitempty" doc:"When the next one is due."`
	Looked  int64              `json:"looked" doc:"Files that were looked at."`
	Found   int64              `json:"found" doc:"Those that are harmful."`
	Skipped int64              `json:"skipped" doc:"Those that could not be looked at."`
	Fault   hosting.SweepFault `json:"fault,omitempty" enum:"scanner,site,closed,old" doc:"Why it does not go on: the scanner or the site does not answer, the site is suspended, its tools are too old."`
}

// Findings is what was found in a site.
type Findings struct {
	Items []Finding `json:"items"`
	Next  string    `json:"next,omitempty" doc:"The cursor of the page that follows; missing on the last."`
	Open  int64     `json:"open" doc:"How many there are on all pages that nobody took for harmless."`
	Look  *Look     `json:"look,omitempty"`
}

func findingOf(f *hosting.Finding) Finding {
	r := Finding{ID: f.ID, Path: readable(f.Path), Found: f.Found, State: f.State, Fault: f.Fault, Sum: f.Sum, Size: f.Mark.Size, At: f.FoundAt, Until: moment(f.Until)}
	if !utf8.Valid(f.Path) {
		r.Octets = f.Path
	}
	return r
}

func findingsOf(f *hosting.SiteFindings) Findings {
	r := Findings{Items: []Finding{}, Next: cursor(f.Next), Open: f.Total}
	for i := range f.Items {
		r.Items = append(r.Items, findingOf(&f.Items[i]))
	}
	if w := &f.Sweep; f.Every > 0 {
		r.Look = &Look{Running: w.Began > 0, EndedAt: moment(w.EndedAt), NextAt: moment(w.NextAt), Looked: w.Looked, Found: w.Found, Skipped: w.Skipped, Fault: w.Fault}
	}
	return r
}

// FindingPath is an operation on one finding.
type FindingPath struct {
	SitePath
	Finding hosting.ID `path:"finding" maxLength:"100" doc:"The finding's id."`
}

// FindingList is a page of what was found in a site.
type FindingList struct {
	SitePath
	Paging
}

func (s *Server) listFindings(ctx context.Context, a hosting.Actor, in *FindingList) (*answer[Findings], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found, err := s.Rules.Findings(ctx, a, in.Site, hosting.ID(after), in.Limit)
	if err != nil {
		return nil, err
	}
	return &answer[Findings]{findingsOf(found)}, nil
}

func (s *Server) restoreFinding(ctx context.Context, a hosting.Actor, in *FindingPath) (*struct{}, error) {
	return nil, s.rules(ctx).RestoreFinding(ctx, a, in.Site, in.Finding)
}

func (s *Server) deleteFinding(ctx context.Context, a hosting.Actor, in *FindingPath) (*struct{}, error) {
	return nil, s.rules(ctx).DeleteFinding(ctx, a, in.Site, in.Finding)
}

func (s *Server) sweepSite(ctx context.Context, a hosting.Actor, in *SitePath) (*answer[Findings], error) {
	if err := s.rules(ctx).SweepSite(ctx, a, in.Site); err != nil {
		return nil, err
	}
	return s.listFindings(ctx, a, &FindingList{SitePath: *in})
}
