package web

import (
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
)

// userNew is the form of a new account.
type userNew struct {
	*frame

	Form     hosting.NewUser
	Roles    []hosting.Role
	Packages []hosting.Package
	Wrong    faults
}

func (s *Server) userNew(r *http.Request, form hosting.NewUser) (userNew, error) {
	p := userNew{frame: s.frame(r, placeUsers), Form: form, Roles: []hosting.Role{hosting.Customer}}
	p.Title = p.T("New account")
	p.Crumbs = []link{{Text: p.T("Accounts"), To: "/users"}, {Text: p.Title}}
	if p.Actor.Role == hosting.Administrator {
		p.Roles = []hosting.Role{hosting.Customer, hosting.Reseller, hosting.Administrator}
	}
	err := hosting.May(p.Actor, hosting.RightUserCreate, p.customersOf())
	if err != nil {
		return p, err
	}
	p.Packages, err = s.Rules.Packages(r.Context(), p.Actor)
	return p, err
}

func (s *Server) newUser(w http.ResponseWriter, r *http.Request) error {
	p, err := s.userNew(r, hosting.NewUser{Role: hosting.Customer})
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

func (s *Server) createUser(w http.ResponseWriter, r *http.Request) error {
	form := hosting.NewUser{
		Email: r.PostFormValue("email"), Name: r.PostFormValue("name"),
		Role: hosting.Role(r.PostFormValue("role")), Package: hosting.ID(r.PostFormValue("package")),
	}
	u, err := s.Rules.CreateUser(r.Context(), actor(r.Context()), form)
	if err == nil && s.Doors.Mails() {
		r.SetPathValue("user", string(u.ID))
		return s.mailInvitation(w, r)
	}
	if err == nil {
		return seeOther(w, r, userURL(u.ID))
	}
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p, err := s.userNew(r, form)
	if err != nil {
		return err
	}
	p.Wrong = wrong
	return show(w, r, wrong.Status, p.view())
}
