package web

import (
	"net/http"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// companyList is the page of the companies' providers that people sign in by.
type companyList struct {
	*frame

	Providers []hosting.IdentityProvider
}

func (s *Server) listCompanies(w http.ResponseWriter, r *http.Request) error {
	all, err := s.Rules.IdentityProviders(r.Context(), actor(r.Context()))
	if err != nil {
		return err
	}
	p := companyList{frame: s.frame(r, placeUsers), Providers: all}
	p.Title = p.T("Company sign-in")
	p.Crumbs = []link{{Text: p.T("Accounts"), To: "/users"}, {Text: p.Title}}
	return show(w, r, http.StatusOK, p.view())
}

// companies are the pages of them.
func (s *Server) companies() map[string]handler {
	return map[string]handler{
		"GET /companies":                   s.listCompanies,
		"GET /companies/new":               s.newCompany,
		"POST /companies":                  s.putCompany,
		"GET /companies/{company}":         s.showCompany,
		"POST /companies/{company}":        s.putCompany,
		"POST /companies/{company}/delete": s.deleteCompany,
	}
}

// companyPage is the form of one, new or not.
type companyPage struct {
	*frame

	Form     hosting.IdentityProvider
	Domains  string
	Packages []hosting.Package
	// Answers is the address that the provider has to know.
	Answers string
	Wrong   faults
	// Delete asks for the provider's removal.
	Delete loss
}

// To is where the form goes.
func (p companyPage) To() string {
	if p.Form.ID == "" {
		return "/companies"
	}
	return "/companies/" + string(p.Form.ID)
}

// Roles are those that accounts can be made with; "" makes none.
func (p companyPage) Roles() []hosting.Role {
	return []hosting.Role{"", hosting.Customer, hosting.Collaborator, hosting.Administrator}
}

// RoleName is what a role is called in the form.
func (p companyPage) RoleName(role hosting.Role) string {
	if role == "" {
		return p.T("Nobody: only who has an account comes in")
	}
	return p.roleName(role)
}

func (s *Server) companyPage(r *http.Request, form hosting.IdentityProvider) (companyPage, error) {
	p := companyPage{frame: s.frame(r, placeUsers), Form: form, Domains: strings.Join(form.Domains, " ")}
	if err := hosting.May(p.Actor, hosting.RightPlatformChange, hosting.Object{}); err != nil {
		return p, err
	}
	p.Title = form.Name
	if form.ID == "" {
		p.Title = p.T("New provider")
	} else {
		p.Answers = s.Doors.CompanyAnswers(form.ID)
		if err := p.mayGo(s, r); err != nil {
			return p, err
		}
	}
	p.Crumbs = []link{{Text: p.T("Accounts"), To: "/users"}, {Text: p.T("Company sign-in"), To: "/companies"}, {Text: p.Title}}
	var err error
	p.Packages, err = s.Rules.Packages(r.Context(), p.Actor)
	return p, err
}

// company returns the provider that the address names.
func (s *Server) company(r *http.Request) (*hosting.IdentityProvider, error) {
	all, err := s.Rules.IdentityProviders(r.Context(), actor(r.Context()))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if string(all[i].ID) == r.PathValue("company") {
			return &all[i], nil
		}
	}
	return nil, s.nowhere(nil, r)
}

// mayGo asks by the name that the provider has, whatever is typed in its form.
func (p *companyPage) mayGo(s *Server, r *http.Request) error {
	now, err := s.company(r)
	if err != nil {
		return err
	}
	p.Delete = loss{
		ID: "delete", To: p.To() + "/delete", Title: p.T("Remove the provider"), Button: p.T("Remove %s", now.Name), Name: now.Name,
		Tells: []string{p.T("Nobody signs in by it any more. Its people keep their accounts; who has no password needs a link that sets one. Its secret and who is who there are gone, and nothing brings them back.")},
	}
	return nil
}

func (s *Server) newCompany(w http.ResponseWriter, r *http.Request) error {
	p, err := s.companyPage(r, hosting.IdentityProvider{})
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

func (s *Server) showCompany(w http.ResponseWriter, r *http.Request) error {
	one, err := s.company(r)
	if err != nil {
		return err
	}
	p, err := s.companyPage(r, *one)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// putCompany makes one, or changes it.
func (s *Server) putCompany(w http.ResponseWriter, r *http.Request) error {
	form := hosting.IdentityProvider{
		ID: hosting.ID(r.PathValue("company")), Name: r.PostFormValue("name"), Issuer: r.PostFormValue("issuer"),
		ClientID: r.PostFormValue("client"), Secret: []byte(strings.TrimSpace(r.PostFormValue("secret"))),
		Domains: strings.FieldsFunc(r.PostFormValue("domains"), func(c rune) bool { return strings.ContainsRune(" ,;\r\n\t", c) }),
		Role:    hosting.Role(r.PostFormValue("role")), Package: hosting.ID(r.PostFormValue("package")), AsksFactor: r.PostFormValue("factor") != "",
	}
	made, err := s.Rules.PutIdentityProvider(r.Context(), actor(r.Context()), form)
	if err == nil {
		return seeOther(w, r, "/companies/"+string(made.ID))
	}
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p, err := s.companyPage(r, form)
	if err != nil {
		return err
	}
	p.Wrong = wrong
	return show(w, r, wrong.Status, p.view())
}

func (s *Server) deleteCompany(w http.ResponseWriter, r *http.Request) error {
	one, err := s.company(r)
	if err != nil {
		return err
	}
	p, err := s.companyPage(r, *one)
	if err != nil {
		return err
	}
	if !p.Delete.meant(p.frame, r) {
		return show(w, r, p.Delete.Wrong.Status, p.view())
	}
	if err := s.Rules.DeleteIdentityProvider(r.Context(), p.Actor, one.ID); err != nil {
		return err
	}
	return seeOther(w, r, "/companies")
}

// toCompany sends the browser to a company's provider. It is a link and no form: the
// pages' policy lets no form lead to somebody else.
func (s *Server) toCompany(w http.ResponseWriter, r *http.Request) error {
	to, err := s.Doors.BeginCompany(r.Context(), hosting.ID(r.PathValue("company")), local(r.URL.Query().Get("next")))
	if err != nil {
		return err
	}
	return seeOther(w, r, to)
}

// fromCompany signs in who comes back.
func (s *Server) fromCompany(w http.ResponseWriter, r *http.Request) error {
	stage, next, err := s.Doors.FinishCompany(r.Context(), hosting.ID(r.PathValue("company")), r.URL.Query())
	if err != nil {
		return err
	}
	return s.goOn(w, r, stage, local(next))
}
