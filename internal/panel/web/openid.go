package web

import (
	"net/http"
	"net/url"

	"kubepanel.io/kubepanel/internal/panel/auth"
)

// authorize lets an application know who is signed in, once somebody is.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) error {
	step, err := s.OpenID.Authorize(r.Context(), actor(r.Context()), r.URL.Query())
	switch {
	case err != nil:
		return err
	case step.Asks != "":
		p := agreePage{s.frame(r, placeNone), step.To}
		p.Title = p.T("Sign in to %s?", step.Asks)
		return show(w, r, http.StatusOK, p.view())
	case step.To != "":
		return seeOther(w, r, step.To)
	case auth.StageOf(r.Context()) == auth.MustEnrol:
		return seeOther(w, r, enrolAt(step.Next))
	}
	query := url.Values{"next": {step.Next}}
	if step.Again {
		query.Set("again", "1")
	}
	return seeOther(w, r, "/sign-in?"+query.Encode())
}

// agreePage asks whether to sign in to a program that anybody could say to be.
type agreePage struct {
	*frame

	To string
}

// leavePage asks whether to sign out.
type leavePage struct{ *frame }

// leave signs out for an application that shows that it is about who is signed in, and
// asks otherwise.
func (s *Server) leave(w http.ResponseWriter, r *http.Request) error {
	to, sure, err := s.OpenID.Leave(r.Context(), actor(r.Context()), r.URL.Query())
	if err != nil {
		return err
	}
	if !sure {
		p := leavePage{s.frame(r, placeNone)}
		p.Title = p.T("Sign out?")
		return show(w, r, http.StatusOK, p.view())
	}
	if err := s.forget(w, r); err != nil {
		return err
	}
	if to == "" {
		to = "/sign-in"
	}
	return seeOther(w, r, to)
}
