package web

import (
	"net/http"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// applications are the pages of what people sign in to by the panel.
func (s *Server) applications() map[string]handler {
	return map[string]handler{
		"GET /applications":                       s.listApplications,
		"GET /applications/new":                   s.newApplication,
		"POST /applications":                      s.createApplication,
		"GET /applications/{application}":         s.showApplication,
		"POST /applications/{application}":        s.changeApplication,
		"POST /applications/{application}/secret": s.renewApplication,
		"POST /applications/{application}/delete": s.deleteApplication,
	}
}

// applicationList is the page of all.
type applicationList struct {
	*frame

	Applications []hosting.Application
}

// RoleNames lists whose accounts an application lets in.
func (p applicationList) RoleNames(a hosting.Application) string {
	names := make([]string, 0, len(a.Roles))
	for _, role := range a.Roles {
		names = append(names, p.roleName(role))
	}
	return strings.Join(names, ", ")
}

func (s *Server) listApplications(w http.ResponseWriter, r *http.Request) error {
	all, err := s.Rules.Applications(r.Context(), actor(r.Context()))
	if err != nil {
		return err
	}
	p := applicationList{frame: s.frame(r, placeUsers), Applications: all}
	p.Title = p.T("Applications")
	p.Crumbs = []link{{Text: p.T("Accounts"), To: "/users"}, {Text: p.Title}}
	return show(w, r, http.StatusOK, p.view())
}

// applicationPage is the form of one, new or not.
type applicationPage struct {
	*frame

	Form                 hosting.Application
	Redirects, Farewells string
	// Issuer is the panel's address for applications, Secret what is shown once.
	Issuer, Secret string
	Wrong          faults
}

// To is where the form goes.
func (p applicationPage) To() string { return applicationURL(p.Form.ID) }

func applicationURL(id hosting.ID) string {
	if id == "" {
		return "/applications"
	}
	return "/applications/" + string(id)
}

// Admits tells whether the form has a role chosen.
func (p applicationPage) Admits(role hosting.Role) bool { return slices.Contains(p.Form.Roles, role) }

func (s *Server) applicationPage(r *http.Request, form hosting.Application) (applicationPage, error) {
	p := applicationPage{frame: s.frame(r, placeUsers), Form: form, Issuer: s.OpenID.Issuer(),
		Redirects: strings.Join(form.Redirects, "\n"), Farewells: strings.Join(form.Farewells, "\n")}
	p.Title = form.Name
	if form.ID == "" {
		p.Title = p.T("New application")
	}
	p.Crumbs = []link{{Text: p.T("Accounts"), To: "/users"}, {Text: p.T("Applications"), To: "/applications"}, {Text: p.Title}}
	return p, hosting.May(p.Actor, hosting.RightPlatformChange, hosting.Object{})
}

// showForm shows the form of an application, with its faults.
func (s *Server) showForm(w http.ResponseWriter, r *http.Request, form hosting.Application, fault error) error {
	p, err := s.applicationPage(r, form)
	if err != nil {
		return err
	}
	if p.Wrong, err = s.asked(r, fault); err != nil {
		return err
	}
	return show(w, r, p.Wrong.Status, p.view())
}

// showSecret shows an application with its secret, this once.
func (s *Server) showSecret(w http.ResponseWriter, r *http.Request, app *hosting.Application, secret string) error {
	p, err := s.applicationPage(r, *app)
	if err != nil {
		return err
	}
	p.Secret = secret
	return show(w, r, http.StatusOK, p.view())
}

func (s *Server) newApplication(w http.ResponseWriter, r *http.Request) error {
	return s.showForm(w, r, hosting.Application{Roles: []hosting.Role{hosting.Administrator}}, nil)
}

func (s *Server) showApplication(w http.ResponseWriter, r *http.Request) error {
	app, err := s.Rules.Application(r.Context(), actor(r.Context()), hosting.ID(r.PathValue("application")))
	if err != nil {
		return err
	}
	return s.showForm(w, r, *app, nil)
}

// applicationForm reads the form of who may send it.
func applicationForm(r *http.Request) (hosting.Application, error) {
	if err := hosting.May(actor(r.Context()), hosting.RightPlatformChange, hosting.Object{}); err != nil {
		return hosting.Application{}, err
	}
	if err := r.ParseForm(); err != nil {
		return hosting.Application{}, unreadable(err)
	}
	form := hosting.Application{
		ID: hosting.ID(r.PathValue("application")), Name: r.PostForm.Get("name"), Public: r.PostForm.Get("public") != "",
		Redirects: strings.Fields(r.PostForm.Get("redirects")), Farewells: strings.Fields(r.PostForm.Get("farewells")),
		Logout: r.PostForm.Get("logout"), Inside: r.PostForm.Get("inside") != "",
	}
	for _, role := range r.PostForm["roles"] {
		form.Roles = append(form.Roles, hosting.Role(role))
	}
	return form, nil
}

func (s *Server) createApplication(w http.ResponseWriter, r *http.Request) error {
	form, err := applicationForm(r)
	if err != nil {
		return err
	}
	made, secret, err := s.Rules.CreateApplication(r.Context(), actor(r.Context()), form)
	if err != nil {
		return s.showForm(w, r, form, err)
	}
	return s.showSecret(w, r, made, secret)
}

func (s *Server) changeApplication(w http.ResponseWriter, r *http.Request) error {
	form, err := applicationForm(r)
	if err != nil {
		return err
	}
	if _, err := s.Rules.ChangeApplication(r.Context(), actor(r.Context()), form); err != nil {
		return s.showForm(w, r, form, err)
	}
	return seeOther(w, r, applicationURL(form.ID))
}

func (s *Server) renewApplication(w http.ResponseWriter, r *http.Request) error {
	app, secret, err := s.Rules.RenewApplication(r.Context(), actor(r.Context()), hosting.ID(r.PathValue("application")))
	if err != nil {
		return err
	}
	return s.showSecret(w, r, app, secret)
}

func (s *Server) deleteApplication(w http.ResponseWriter, r *http.Request) error {
	if err := s.Rules.DeleteApplication(r.Context(), actor(r.Context()), hosting.ID(r.PathValue("application"))); err != nil {
		return err
	}
	return seeOther(w, r, "/applications")
}
