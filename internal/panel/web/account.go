package web

import (
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// accountPage is the page of one's own account.
type accountPage struct {
	*frame

	Factors  auth.Factors
	Sessions []auth.Session
	// Browsers are those that the account knows, where that Counts.
	Browsers []auth.Browser
	Counts   bool
	Usage    []hosting.QuotaLine
	Wrong    faults
	// Again: the password is asked for once more.
	Again bool
	// Seed is a new authenticator's, until its first code came; Recovery are the codes
	// that were just made, shown this once. Renewed: in place of others.
	Seed     auth.TOTP
	Recovery []string
	Renewed  bool
}

func (s *Server) accountPage(r *http.Request) (accountPage, error) {
	ctx := r.Context()
	p := accountPage{frame: s.frame(r, placeAccount)}
	p.accountTabs("/account")
	p.Crumbs = []link{{Text: p.Title}}
	var err error
	if p.Factors, err = s.Doors.Factors(ctx); err != nil {
		return p, err
	}
	if p.Sessions, err = s.Doors.Sessions(ctx); err != nil {
		return p, err
	}
	if p.Browsers, p.Counts, err = s.Doors.Browsers(ctx); err != nil {
		return p, err
	}
	if p.Actor.Role == hosting.Customer || p.Actor.Role == hosting.Reseller {
		p.Usage, err = s.Rules.Usage(ctx, p.Actor, p.Actor.ID)
	}
	return p, err
}

func (s *Server) account(w http.ResponseWriter, r *http.Request) error {
	return s.showAccount(w, r, nil, func(*accountPage) {})
}

// showAccount shows the page with what somebody asked for, or what was wrong with it.
func (s *Server) showAccount(w http.ResponseWriter, r *http.Request, err error, fill func(*accountPage)) error {
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p, err := s.accountPage(r)
	if err != nil {
		return err
	}
	p.Wrong = wrong
	p.Again = wrong.Status == http.StatusUnauthorized && wrong.Of("") != ""
	fill(&p)
	return show(w, r, wrong.Status, p.view())
}

// done goes back to the page, or shows it with what was wrong.
func (s *Server) done(w http.ResponseWriter, r *http.Request, err error) error {
	if err == nil {
		return seeOther(w, r, "/account")
	}
	return s.showAccount(w, r, err, func(*accountPage) {})
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	return s.done(w, r, s.Doors.ChangePassword(r.Context(), r.PostFormValue("password"), r.PostFormValue("new-password")))
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) error {
	return s.done(w, r, s.Doors.EndSession(r.Context(), r.PostFormValue("session")))
}

// confirm proves once more who sits there, which what follows may ask for.
func (s *Server) confirm(w http.ResponseWriter, r *http.Request) error {
	err := s.Doors.Confirm(r.Context(), r.PostFormValue("password"))
	if err == nil {
		return seeOther(w, r, "/account")
	}
	return s.showAccount(w, r, err, func(p *accountPage) {
		p.Again = true
		p.Wrong.move("password", "confirm-password") // the page asks for it in two forms
	})
}

func (s *Server) beginCode(w http.ResponseWriter, r *http.Request) error {
	seed, err := s.Doors.BeginTOTP(r.Context())
	return s.showAccount(w, r, err, func(p *accountPage) { p.Seed = seed })
}

func (s *Server) confirmCode(w http.ResponseWriter, r *http.Request) error {
	seed := s.Doors.PendingTOTP(r.Context())
	codes, err := s.Doors.ConfirmTOTP(r.Context(), r.PostFormValue("code"))
	return s.showAccount(w, r, err, func(p *accountPage) {
		p.Recovery = codes
		if err != nil { // it counts still
			p.Seed = seed
		}
	})
}

func (s *Server) removeCode(w http.ResponseWriter, r *http.Request) error {
	return s.done(w, r, s.Doors.RemoveTOTP(r.Context()))
}

func (s *Server) newCodes(w http.ResponseWriter, r *http.Request) error {
	codes, err := s.Doors.NewRecoveryCodes(r.Context(), s.frame(r, placeAccount).Tag)
	return s.showAccount(w, r, err, func(p *accountPage) { p.Recovery, p.Renewed = codes, err == nil })
}

func (s *Server) removePasskey(w http.ResponseWriter, r *http.Request) error {
	return s.done(w, r, s.Doors.RemovePasskey(r.Context(), r.PostFormValue("passkey")))
}

// userLink shows a one-time link with which an account sets its password.
func (s *Server) userLink(w http.ResponseWriter, r *http.Request) error {
	id := hosting.ID(r.PathValue("user"))
	token, err := s.Doors.InviteLink(r.Context(), actor(r.Context()), id)
	if err != nil && hosting.CodeOf(err) == hosting.Conflict { // it has a password: this replaces it
		token, err = s.Doors.ResetLink(r.Context(), actor(r.Context()), id)
	}
	if err != nil {
		return err
	}
	p, err := s.userShow(r)
	if err != nil {
		return err
	}
	p.Link = s.Doors.URL.JoinPath("password").String() + "#" + token
	return show(w, r, http.StatusOK, p.view())
}

func (s *Server) actAs(w http.ResponseWriter, r *http.Request) error {
	if err := s.Doors.ActAs(r.Context(), hosting.ID(r.PathValue("user"))); err != nil {
		return err
	}
	return seeOther(w, r, "/")
}

func (s *Server) actAsEnd(w http.ResponseWriter, r *http.Request) error {
	if err := s.Doors.ActAsEnd(r.Context()); err != nil {
		return err
	}
	return seeOther(w, r, "/users")
}
