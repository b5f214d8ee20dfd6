package web

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// auditPage is a part of the audit trail.
type auditPage struct {
	*frame

	Query hosting.AuditQuery
	// From and To are as they were typed, in the zone of the reader's browser, or UTC where it
	// runs no scripts. ZoneName is empty as long as no time was typed: the browser fills it.
	From, To, ZoneName string
	Zone               *time.Location
	Wrong              faults

	Entries []hosting.Entry
	Next    string
	// Sending is how far the trail came to the log server; nil where there is none, and for
	// who does not run the platform.
	Sending *hosting.SendingState
}

func (s *Server) audit(w http.ResponseWriter, r *http.Request) error {
	p := s.auditPage(r)
	if !p.Wrong.any() {
		found, err := s.Rules.Trail(r.Context(), p.Actor, p.Query)
		if p.Wrong, err = s.asked(r, err); err != nil {
			return err
		}
		p.Entries = found.Items
		if found.Next != "" {
			p.Next = p.address("/audit", p.Query, found.Next)
		}
	}
	return s.showAudit(w, r, p)
}

// showAudit shows what was found, or what was wrong about the question.
func (s *Server) showAudit(w http.ResponseWriter, r *http.Request, p auditPage) error {
	var err error
	if p.Sending, err = s.sending(r); err != nil {
		return err
	}
	return show(w, r, p.Wrong.Status, p.view())
}

// auditPage reads what is asked for; nothing of the trail yet.
func (s *Server) auditPage(r *http.Request) auditPage {
	p := auditPage{frame: s.frame(r, placeAudit), Query: auditQuery(r), From: field(r, "from"), To: field(r, "to"), Zone: zoneOf(field(r, "zone"))}
	p.Title = p.T("Audit")
	p.Crumbs = []link{{Text: p.Title}}
	if p.Zone != time.UTC || p.From+p.To != "" {
		p.ZoneName = p.Zone.String()
	}
	p.Wrong.fields = map[string]string{}
	p.Query.From = p.Wrong.moment(p.frame, "from", p.From, p.Zone)
	if p.Query.To = p.Wrong.moment(p.frame, "to", p.To, p.Zone); !p.Query.To.IsZero() {
		p.Query.To = p.Query.To.Add(time.Minute) // the minute that was named is meant as a whole
	}
	if p.Wrong.any() {
		p.Wrong.Status = http.StatusUnprocessableEntity
	}
	return p
}

// exportAudit sends all that is asked for as a file, while it is read.
func (s *Server) exportAudit(w http.ResponseWriter, r *http.Request) error {
	p := s.auditPage(r)
	if p.Wrong.any() {
		return s.showAudit(w, r, p)
	}
	p.Query.Before = 0
	each, err := s.Rules.ExportTrail(r.Context(), p.Actor, p.Query)
	if err != nil {
		if p.Wrong, err = s.asked(r, err); err != nil {
			return err
		}
		return s.showAudit(w, r, p)
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

// address is that of a page about the same entries.
func (p auditPage) address(page string, q hosting.AuditQuery, before string) string {
	values, zone := url.Values{}, ""
	if p.From+p.To != "" {
		zone = p.ZoneName
	}
	for name, value := range map[string]string{"q": q.Object, "did": q.Did, "who": orElse(q.By, string(q.Actor)), "before": before, "from": p.From, "to": p.To, "zone": zone} {
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
	return p.address("/audit", q, "")
}

// zoneWords are the sentence that names the times' zone, without its name: that is the
// browser's, where it runs scripts.
func (p auditPage) zoneWords() (before, after string) {
	const name = "\x00"
	before, after, _ = strings.Cut(p.T("Times are those of %s.", name), name)
	return before, after
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
