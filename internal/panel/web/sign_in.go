package web

import (
	"net/http"
	"net/url"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/openid"
)

// signInPage asks who somebody is.
type signInPage struct {
	*frame

	Email, Next string
	Mails       bool // a forgotten password can be set anew by mail
	Companies   []auth.Button
	Wrong       faults
}

func (s *Server) signInPage(r *http.Request) (signInPage, error) {
	p := signInPage{frame: s.frame(r, placeNone), Email: r.PostFormValue("email"), Next: local(r.FormValue("next")), Mails: s.Doors.Mails()}
	p.Title = p.T("Sign in")
	var err error
	p.Companies, err = s.Doors.Companies(r.Context())
	return p, err
}

func (s *Server) signInForm(w http.ResponseWriter, r *http.Request) error {
	if _, ok := s.Who(r.Context()); ok && r.FormValue("again") == "" {
		return seeOther(w, r, local(r.FormValue("next")))
	}
	p, err := s.signInPage(r)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	stage, err := s.Doors.SignIn(r.Context(), r.PostFormValue("email"), r.PostFormValue("password"), s.locales.Of(r).Tag)
	if err != nil {
		wrong, err := s.asked(r, err, hosting.Unreachable) // the mail server, which another try may find
		if err != nil {
			return err
		}
		p, err := s.signInPage(r)
		if err != nil {
			return err
		}
		p.Wrong = wrong
		return show(w, r, wrong.Status, p.view())
	}
	return s.onward(w, r, stage)
}

// onward goes where a sign-in that has come so far leads.
func (s *Server) onward(w http.ResponseWriter, r *http.Request, stage auth.Stage) error {
	return s.goOn(w, r, stage, local(r.PostFormValue("next")))
}

func (s *Server) goOn(w http.ResponseWriter, r *http.Request, stage auth.Stage, next string) error {
	switch stage {
	case auth.SecondFactor:
		return seeOther(w, r, "/sign-in/code?"+url.Values{"next": {next}}.Encode())
	case auth.Mailed:
		return seeOther(w, r, mailedAt(next))
	case auth.MustEnrol:
		return seeOther(w, r, enrolAt(next))
	case auth.Done, auth.Nobody:
	}
	return s.arrive(w, r, next)
}

// arrive goes where somebody wanted to before signing in. An application is gone on to by
// a page: the pages' policy lets no form lead to somebody else, by redirects neither.
func (s *Server) arrive(w http.ResponseWriter, r *http.Request, next string) error {
	if !strings.HasPrefix(next, openid.PathAuthorize+"?") {
		return seeOther(w, r, next)
	}
	p := arrivalPage{frame: s.frame(r, placeNone), To: next}
	p.Title = p.T("You are signed in")
	w.Header().Set("Refresh", "0; url="+next)
	return show(w, r, http.StatusOK, p.view())
}

// arrivalPage goes on by itself.
type arrivalPage struct {
	*frame

	To string
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.forget(w, r); err != nil {
		return err
	}
	return seeOther(w, r, "/sign-in")
}

// forget signs out, and has the browser forget what it was shown.
func (s *Server) forget(w http.ResponseWriter, r *http.Request) error {
	session := auth.SessionOf(r.Context())
	if err := s.Doors.SignOut(r.Context()); err != nil {
		return err
	}
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`) // but no cookies: they have the language
	s.leaveDatabases(r, session)
	return nil
}

// codePage asks for the second factor.
type codePage struct {
	*frame

	Next  string
	Wrong faults
}

func (s *Server) codePage(r *http.Request) codePage {
	p := codePage{frame: s.frame(r, placeNone), Next: local(r.FormValue("next"))}
	p.Title = p.T("One more step")
	return p
}

func (s *Server) codeForm(w http.ResponseWriter, r *http.Request) error {
	return show(w, r, http.StatusOK, s.codePage(r).view())
}

func (s *Server) code(w http.ResponseWriter, r *http.Request) error {
	err := s.Doors.SecondFactor(r.Context(), r.PostFormValue("code"))
	if err == nil {
		return s.arrive(w, r, local(r.PostFormValue("next")))
	}
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p := s.codePage(r)
	p.Wrong = wrong
	return show(w, r, wrong.Status, p.view())
}

// startPage makes the first administrator of a new platform.
type startPage struct {
	*frame

	Code, Name, Email string
	Wrong             faults
}

func (s *Server) startPage(r *http.Request) startPage {
	p := startPage{frame: s.frame(r, placeNone), Code: r.PostFormValue("code"), Name: r.PostFormValue("name"), Email: r.PostFormValue("email")}
	p.Title = p.T("Welcome")
	return p
}

func (s *Server) startForm(w http.ResponseWriter, r *http.Request) error {
	return show(w, r, http.StatusOK, s.startPage(r).view())
}

func (s *Server) start(w http.ResponseWriter, r *http.Request) error {
	p := s.startPage(r)
	stage, err := s.Doors.ClaimFirst(r.Context(), p.Code, auth.NewAdministrator{Email: p.Email, Name: p.Name, Password: r.PostFormValue("password")})
	if err == nil {
		return s.onward(w, r, stage)
	}
	if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, p.Wrong.Status, p.view())
}

// passwordPage sets a password with a one-time link: the first, or another one.
type passwordPage struct {
	*frame

	Code  string
	Wrong faults
}

func (s *Server) passwordPage(r *http.Request) passwordPage {
	p := passwordPage{frame: s.frame(r, placeNone), Code: r.PostFormValue("code")}
	p.Title = p.T("Set your password")
	return p
}

func (s *Server) passwordForm(w http.ResponseWriter, r *http.Request) error {
	return show(w, r, http.StatusOK, s.passwordPage(r).view())
}

func (s *Server) setPassword(w http.ResponseWriter, r *http.Request) error {
	p := s.passwordPage(r)
	err := s.Doors.SetPassword(r.Context(), p.Code, r.PostFormValue("password"), p.Tag)
	if err == nil {
		return seeOther(w, r, "/sign-in")
	}
	if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, p.Wrong.Status, p.view())
}
