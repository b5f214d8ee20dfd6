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
	// Sending is how far the trail came to the log server; nil where there is none, and for
	// who does not run the platform.
	Sending *hosting.SendingState
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
	if p.Sending, err = s.sending(r); err != nil {
		return err
	}
	p.Title = p.T("Audit")
	p.Crumbs = []link{{Text: p.Title}}
	if found.Next != "" {
		p.Next = "/audit?" + url.Values{"q": {q.Object}, "before": {found.Next}}.Encode()
	}
	return show(w, r, http.StatusOK, p.view())
}

// sending is how far the trail came to the log server, for who runs the platform.
func (s *Server) sending(r *http.Request) (*hosting.SendingState, error) {
	if a := actor(r.Context()); hosting.Can(a, hosting.RightAuditView, hosting.Object{}) {
		return s.Rules.TrailSending(r.Context(), a)
	}
	return nil, nil
}

// late says what an administrator should look at; nothing where all is well.
func (f *frame) late(s *hosting.SendingState) bool { return s != nil && s.Late(f.server.Now()) }

// onItsWay is how many entries the log server has not confirmed.
func (f *frame) onItsWay(s *hosting.SendingState) string {
	if s.Waiting == 0 {
		return f.T("The log server %s has all of it.", s.Server)
	}
	return f.T("Entries that the log server %s does not have: %d. The first was made %s.", s.Server, s.Waiting, f.Ago(s.Since))
}
