package web

import (
	"net/http"
	"net/url"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// mailedPage asks who signs in with a new browser for the code that was mailed.
type mailedPage struct {
	*frame

	To, Next string
	// Again: another one was mailed just now.
	Again bool
	Wrong faults
}

// mailedAt is the page's address for who was on the way to somewhere.
func mailedAt(next string) string {
	return "/sign-in/mailed?" + url.Values{"next": {next}}.Encode()
}

func (s *Server) mailedForm(w http.ResponseWriter, r *http.Request) error {
	return s.showMailed(w, r, nil, false)
}

// showMailed shows the page to whose sign-in waits for a code, and the sign-in to everybody
// else.
func (s *Server) showMailed(w http.ResponseWriter, r *http.Request, err error, again bool) error {
	p := mailedPage{frame: s.frame(r, placeNone), Next: local(r.FormValue("next")), Again: again}
	p.Title = p.T("Is it you?")
	if auth.StageOf(r.Context()) != auth.Mailed {
		return seeOther(w, r, "/sign-in?"+url.Values{"next": {p.Next}}.Encode())
	}
	if p.Wrong, err = s.asked(r, err, hosting.Unreachable); err != nil {
		return err
	}
	if p.To, err = s.Doors.Mailed(r.Context()); err != nil {
		return err
	}
	return show(w, r, p.Wrong.Status, p.view())
}

func (s *Server) mailed(w http.ResponseWriter, r *http.Request) error {
	stage, err := s.Doors.FinishMailed(r.Context(), r.PostFormValue("code"))
	if err != nil {
		return s.showMailed(w, r, err, false)
	}
	return s.onward(w, r, stage)
}

func (s *Server) mailAgain(w http.ResponseWriter, r *http.Request) error {
	err := s.Doors.MailAgain(r.Context(), s.locales.Of(r).Tag)
	return s.showMailed(w, r, err, err == nil)
}

// forgetBrowser has the account forget a browser, or all when none is named.
func (s *Server) forgetBrowser(w http.ResponseWriter, r *http.Request) error {
	return s.done(w, r, s.Doors.ForgetBrowser(r.Context(), r.PostFormValue("browser")))
}
