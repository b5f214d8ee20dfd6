package web

import (
	"net/http"
	"net/url"

	"kubepanel.io/kubepanel/internal/panel/auth"
)

// enrolPage is all that somebody gets whose role must have a second factor, until there is one.
type enrolPage struct {
	*frame

	Seed     auth.TOTP
	Recovery []string
	Next     string // where somebody was on the way to
	Wrong    faults
}

// enrol shows the page to who has to, and what comes next to everybody else.
func (s *Server) enrol(w http.ResponseWriter, r *http.Request) error {
	switch auth.StageOf(r.Context()) {
	case auth.MustEnrol:
		return s.showEnrol(w, r, nil, func(*enrolPage) {})
	case auth.Done:
		return seeOther(w, r, local(r.FormValue("next")))
	case auth.Nobody, auth.SecondFactor, auth.Mailed:
	}
	return seeOther(w, r, "/sign-in")
}

func (s *Server) showEnrol(w http.ResponseWriter, r *http.Request, err error, fill func(*enrolPage)) error {
	p := enrolPage{frame: s.frame(r, placeNone), Next: local(r.FormValue("next"))}
	p.Title = p.T("Your second factor")
	if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	fill(&p)
	return show(w, r, p.Wrong.Status, p.view())
}

func (s *Server) enrolCode(w http.ResponseWriter, r *http.Request) error {
	seed, err := s.Doors.BeginTOTP(r.Context())
	return s.showEnrol(w, r, err, func(p *enrolPage) { p.Seed = seed })
}

func (s *Server) enrolCodeConfirm(w http.ResponseWriter, r *http.Request) error {
	seed := s.Doors.PendingTOTP(r.Context())
	codes, err := s.Doors.ConfirmTOTP(r.Context(), r.PostFormValue("code"))
	return s.showEnrol(w, r, err, func(p *enrolPage) {
		p.Recovery = codes
		if err != nil {
			p.Seed = seed
		}
	})
}

// enrolAt is the page's address for who was on the way to somewhere.
func enrolAt(next string) string {
	if next == "/" {
		return "/enrol"
	}
	return "/enrol?" + url.Values{"next": {next}}.Encode()
}
