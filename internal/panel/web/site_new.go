package web

import (
	"net/http"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// kind is a tile of the page for a new site.
type kind struct {
	Value, Title, Text, Icon string
}

// kinds are the tiles; the value is a runtime of the catalogue, or wordpress.
func (f *frame) kinds() []kind {
	return []kind{
		{"wordpress", "WordPress", f.T("Installed, with an administrator"), "wordpress"},
		{"php", "PHP", f.T("Your own files, or any program in PHP"), "php"},
		{"python", "Python", f.T("Django, Flask or what speaks WSGI or ASGI"), "python"},
		{"nodejs", "Node.js", f.T("Express, or what listens on a port"), "nodejs"},
		{"static", f.T("Static files"), f.T("HTML and pictures, nothing to run"), "static"},
	}
}

// siteForm is what the form of a new site holds.
type siteForm struct {
	Kind, Name, Title             string
	AdminEmail, AdminUser, Locale string
	Env                           string
	Storage, CPU, Memory          string
	Owner                         string
}

// What a site gets unless told otherwise: enough for a WordPress with a handful of
// plug-ins.
const (
	usualStorage = "5Gi"
	usualCPU     = "1000m"
	usualMemory  = "512Mi"
)

// siteNew is the page of it.
type siteNew struct {
	*frame

	Kinds []kind
	Form  siteForm
	Wrong faults
}

func (s *Server) siteNew(r *http.Request, form siteForm) siteNew {
	p := siteNew{frame: s.frame(r, placeSites), Form: form}
	p.Title, p.Kinds = p.T("New site"), p.kinds()
	p.Crumbs = []link{{Text: p.T("Sites"), To: "/sites"}, {Text: p.Title}}
	return p
}

func (s *Server) newSite(w http.ResponseWriter, r *http.Request) error {
	if err := hosting.May(actor(r.Context()), hosting.RightSiteCreate, hosting.Object{Owner: actor(r.Context()).ID}); err != nil {
		return err
	}
	p := s.siteNew(r, siteForm{Kind: "wordpress", Storage: usualStorage, CPU: usualCPU, Memory: usualMemory, AdminEmail: actor(r.Context()).Email})
	return show(w, r, http.StatusOK, p.view())
}

// createSite shows the form again when somebody can mend the request.
func (s *Server) createSite(w http.ResponseWriter, r *http.Request) error {
	form := siteForm{
		Kind: r.PostFormValue("kind"), Name: r.PostFormValue("name"), Title: r.PostFormValue("title"),
		AdminEmail: r.PostFormValue("admin-email"), AdminUser: r.PostFormValue("admin-user"), Locale: r.PostFormValue("locale"),
		Env: r.PostFormValue("env"), Storage: r.PostFormValue("storage"), CPU: r.PostFormValue("cpu"), Memory: r.PostFormValue("memory"), Owner: r.PostFormValue("owner"),
	}
	site, err := s.Rules.CreateSite(r.Context(), actor(r.Context()), hosting.ID(form.Owner), form.request(), false)
	if err == nil {
		return seeOther(w, r, siteURL(site.Name))
	}
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p := s.siteNew(r, form)
	p.Wrong = wrong
	return show(w, r, wrong.Status, p.view())
}

func (f siteForm) request() hosting.NewSite {
	site := hosting.NewSite{
		Name: f.Name, Title: strings.TrimSpace(f.Title), Storage: f.Storage, CPU: f.CPU, Memory: f.Memory,
		Runtime: f.Kind, NoDatabase: f.Kind == "static",
	}
	if f.Kind == "wordpress" {
		site.Runtime = hosting.PHP
		site.WordPress = &hosting.NewWordPress{AdminUser: f.AdminUser, AdminEmail: f.AdminEmail, Locale: f.Locale}
	}
	if f.Kind != "static" {
		site.Env = strings.Split(strings.ReplaceAll(f.Env, "\r\n", "\n"), "\n")
	}
	return site
}

// line is the command that asks for the same. Values of variables, which are mostly
// secrets, stand in no command.
func (f siteForm) line() string {
	words := []string{"kubepanel site create", "shop.example"}
	if f.Name != "" {
		words[1] = shellWord(f.Name)
	}
	if f.Kind == "wordpress" {
		words = append(words, "--wordpress")
	} else {
		words = append(words, "--runtime "+f.Kind)
	}
	if f.Kind != "static" && strings.TrimSpace(f.Env) != "" {
		words = append(words, "--env-file variables.env")
	}
	return strings.Join(append(words, "--wait"), " ")
}
