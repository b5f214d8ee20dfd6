package web

import (
	"net/http"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"kubepanel.io/kubepanel/internal/hosting"
)

// siteShow is the overview of a site.
type siteShow struct {
	sitePage

	Steps []hosting.Step
	// Moving says that the steps are about to change, so the page looks again.
	Moving bool
	// Stall says what only a person can help; nil when nothing is.
	Stall *hosting.Error
	// Account is what the person asked to see, nil otherwise.
	Account   *hosting.Credential
	Passwords []hosting.Purpose
	Address   string
	Storage   fill
	// Harmful is how many harmful files nobody decided about.
	Harmful int64
}

func (s *Server) siteShow(r *http.Request) (siteShow, error) {
	page, err := s.site(r, "")
	if err != nil {
		return siteShow{}, err
	}
	d := page.Domain
	p := siteShow{sitePage: page, Steps: hosting.Steps(d), Moving: moving(page.Row.Domain), Address: d.Status.Endpoints.Site(), Storage: storageOf(d)}
	if p.Moving {
		p.Steps = hosting.Foreseen(d)
	}
	if e, ok := asError(hosting.StallOf(d)); ok {
		p.Stall = e
	}
	if p.Can(hosting.RightSitePassword, p.Row.On()) && page.Row.Domain != nil {
		p.Passwords = accounts(d)
	}
	harmful, err := s.harmful(r, p.frame, *p.Row)
	p.Harmful = harmful[p.Row.Name]
	return p, err
}

func (s *Server) showSite(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteShow(r)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// siteSteps is the part of the overview that changes by itself. The script asks for
// it once a second for as long as something moves; a browser that comes back later
// sees the same, since all of it is in the site's status.
func (s *Server) siteSteps(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteShow(r)
	if hosting.CodeOf(err) == hosting.NotFound && err != nil {
		w.Header().Set("HX-Redirect", "/sites") // deleted while somebody looked
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	if !p.Moving && r.FormValue("moving") != "" {
		w.Header().Set("HX-Refresh", "true") // done: all of the page may say more now
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return show(w, r, http.StatusOK, templ.Join(p.steps(), headBadge(p.frame)))
}

// sitePassword shows an account of the site, once: no browser keeps the answer.
func (s *Server) sitePassword(w http.ResponseWriter, r *http.Request) error {
	account, err := s.Rules.Password(r.Context(), actor(r.Context()), r.PathValue("site"), hosting.Purpose(r.PostFormValue("for")))
	if err != nil {
		return err
	}
	p, err := s.siteShow(r)
	if err != nil {
		return err
	}
	p.Account = account
	if partial(r) {
		return show(w, r, http.StatusOK, p.accounts())
	}
	return show(w, r, http.StatusOK, p.view())
}

// When is how long a step took since the beginning, where that says something: of what
// changed before, or long after, it does not.
func (p siteShow) When(step hosting.Step) string {
	const sensible = time.Hour
	began := hosting.Began(p.Domain)
	switch {
	case began.IsZero():
	case step.State == hosting.StateRunning && p.now.Sub(began) < sensible:
		return took(began, p.now)
	case step.State == hosting.StateDone && step.Since.Sub(began) < sensible:
		return took(began, step.Since)
	}
	return ""
}

// polling makes the browser look again every second while something moves.
func (p siteShow) polling() templ.Attributes {
	if !p.Moving {
		return nil
	}
	return templ.Attributes{"hx-get": siteURL(p.Row.Name) + "/steps?moving=1", "hx-trigger": "every 1s", "hx-swap": "outerHTML"}
}

// stepName is what a step is about.
func (p siteShow) stepName(step hosting.Step) string {
	first, size := utf8.DecodeRuneInString(step.Title)
	return p.T(string(unicode.ToUpper(first)) + step.Title[size:])
}

func (p siteShow) stepState(s hosting.State) string {
	switch s {
	case hosting.StateDone:
		return p.T("done")
	case hosting.StateRunning:
		return p.T("going on")
	case hosting.StateStalled:
		return p.T("stuck")
	case hosting.StateWaiting:
	}
	return p.T("waiting")
}
