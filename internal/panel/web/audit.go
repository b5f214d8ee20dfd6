package web

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// auditPage is a part of the audit trail.
type auditPage struct {
	*frame

	Query   hosting.AuditQuery
	Entries []hosting.Entry
	Next    string
	// Sending is how far the trail came to the log server; nil where there is none, and for
	// who does not run the platform.
	Sending *hosting.SendingState
}

func (s *Server) audit(w http.ResponseWriter, r *http.Request) error {
	p := auditPage{frame: s.frame(r, placeAudit), Query: auditQuery(r)}
	found, err := s.Rules.Trail(r.Context(), p.Actor, p.Query)
	if err != nil {
		return err
	}
	p.Entries = found.Items
	if p.Sending, err = s.sending(r); err != nil {
		return err
	}
	p.Title = p.T("Audit")
	p.Crumbs = []link{{Text: p.Title}}
	if found.Next != "" {
		p.Next = auditAddress("/audit", p.Query, found.Next)
	}
	return show(w, r, http.StatusOK, p.view())
}

// exportAudit sends all that is asked for as a file, while it is read.
func (s *Server) exportAudit(w http.ResponseWriter, r *http.Request) error {
	q := auditQuery(r)
	q.Before = 0
	each, err := s.Rules.ExportTrail(r.Context(), actor(r.Context()), q)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="trail.jsonl"`)
	out := bufio.NewWriter(patiently(w, r))
	lines := json.NewEncoder(out)
	if err := each(func(e *hosting.Entry) error { return lines.Encode(e.Line()) }); err != nil {
		if r.Context().Err() == nil {
			s.Log.ErrorContext(r.Context(), "export the trail", "err", err)
		}
		panic(http.ErrAbortHandler) // so that the browser knows that the file is not whole
	}
	return out.Flush()
}

// auditQuery is what a page is asked to show. Who is an account's address, or its ID as a
// link of the page has it.
func auditQuery(r *http.Request) hosting.AuditQuery {
	before, err := strconv.ParseInt(r.FormValue("before"), 10, 64)
	if err != nil {
		before = 0 // the newest
	}
	q := hosting.AuditQuery{Object: field(r, "q"), Did: field(r, "did"), Before: before}
	if who := field(r, "who"); strings.Contains(who, "@") {
		q.By = who
	} else {
		q.Actor = hosting.ID(who)
	}
	return q
}

func field(r *http.Request, name string) string { return strings.TrimSpace(r.FormValue(name)) }

// auditAddress is that of a page about the same entries.
func auditAddress(page string, q hosting.AuditQuery, before string) string {
	values := url.Values{}
	for name, value := range map[string]string{"q": q.Object, "did": q.Did, "who": orElse(q.By, string(q.Actor)), "before": before} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return page
	}
	return page + "?" + values.Encode()
}

// by is the address of what the account behind an entry did.
func (p auditPage) by(id hosting.ID) string {
	q := p.Query
	q.By, q.Actor = "", id
	return auditAddress("/audit", q, "")
}

// deeds are what somebody may look for, to choose from; others can be typed.
func (p auditPage) deeds() []string {
	deeds := []string{"sign-in.done", "sign-in.refused", "sessions.ended", "token.made", "token.revoked", "application.sign-in", "application.sign-out"}
	for _, right := range hosting.Rights() {
		if !right.Looks() && p.Actor.Role.Ever(right) {
			deeds = append(deeds, string(right))
		}
	}
	slices.Sort(deeds)
	return deeds
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
