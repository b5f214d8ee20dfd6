package web

import (
	"net/http"
	"net/url"
	"strconv"

	"kubepanel.io/kubepanel/internal/hosting"
)

// auditPage is a part of the audit trail.
type auditPage struct {
	*frame

	Object  string
	Entries []hosting.Entry
	Next    string
}

func (s *Server) audit(w http.ResponseWriter, r *http.Request) error {
	before, err := strconv.ParseInt(r.FormValue("before"), 10, 64)
	if err != nil {
		before = 0 // the newest
	}
	q := hosting.AuditQuery{Object: r.FormValue("q"), Before: before}
	found, err := s.Rules.Trail(r.Context(), actor(r.Context()), q)
	if err != nil {
		return err
	}
	p := auditPage{frame: s.frame(r, placeAudit), Object: q.Object, Entries: found.Items}
	p.Title = p.T("Audit")
	p.Crumbs = []link{{Text: p.Title}}
	if found.Next != "" {
		p.Next = "/audit?" + url.Values{"q": {q.Object}, "before": {found.Next}}.Encode()
	}
	return show(w, r, http.StatusOK, p.view())
}
