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
	return p.List(names)
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
	// Renew asks for another secret, Delete for the application's removal.
	Renew, Delete loss
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
	} else if err := p.losses(s, r); err != nil {
		return p, err
	}
	p.Crumbs = []link{{Text: p.T("Accounts"), To: "/users"}, {Text: p.T("Applications"), To: "/applications"}, {Text: p.Title}}
	return p, hosting.May(p.Actor, hosting.RightPlatformChange, hosting.Object{})
}

// losses ask by the name that the application has, whatever is typed in its form.
func (p *applicationPage) losses(s *Server, r *http.Request) error {
	now, err := s.Rules.Application(r.Context(), p.Actor, p.Form.ID)
	if err != nil {
		return err
	}
	p.Renew = loss{
		ID: "renew", To: p.To() + "/secret", Title: p.T("Make another secret"), Button: p.T("Make another secret"), Name: now.Name,
		Tells: []string{p.T("The former secret counts no more at once: nobody signs in to the application until it has the new one.")},
	}
	p.Delete = loss{
		ID: "delete", To: p.To() + "/delete", Title: p.T("Remove the application"), Button: p.T("Remove %s", now.Name), Name: now.Name,
		Tells: []string{p.T("Nobody signs in to it by the panel any more, and all sign-ins to it end. Its client ID and its secret are gone, and nothing brings them back.")},
	}
	return nil
}

// application is the page of one that there is.
func (s *Server) application(r *http.Request) (applicationPage, error) {
	if err := hosting.May(actor(r.Context()), hosting.RightPlatformChange, hosting.Object{}); err != nil {
		return applicationPage{}, err
	}
	now, err := s.Rules.Application(r.Context(), actor(r.Context()), hosting.ID(r.PathValue("application")))
	if err != nil {
		return applicationPage{}, err
	}
	return s.applicationPage(r, *now)
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
	p, err := s.application(r)
	if err != nil {
		return err
	}
	if !p.Form.Public && !p.Renew.meant(p.frame, r) { // a public one has none, as the rule says
		return show(w, r, p.Renew.Wrong.Status, p.view())
	}
	app, secret, err := s.Rules.RenewApplication(r.Context(), p.Actor, p.Form.ID)
	if err != nil {
		return err
	}
	return s.showSecret(w, r, app, secret)
}

func (s *Server) deleteApplication(w http.ResponseWriter, r *http.Request) error {
	p, err := s.application(r)
	if err != nil {
		return err
	}
	if !p.Delete.meant(p.frame, r) {
		return show(w, r, p.Delete.Wrong.Status, p.view())
	}
	if err := s.Rules.DeleteApplication(r.Context(), p.Actor, p.Form.ID); err != nil {
		return err
	}
	return seeOther(w, r, "/applications")
}
