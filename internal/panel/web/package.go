package web

import (
	"net/http"
	"strconv"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// packageList is the page of all packages.
type packageList struct {
	*frame

	Packages []hosting.Package
}

func (s *Server) listPackages(w http.ResponseWriter, r *http.Request) error {
	packages, err := s.Rules.Packages(r.Context(), actor(r.Context()))
	if err != nil {
		return err
	}
	p := packageList{frame: s.frame(r, placePackages), Packages: packages}
	p.Title = p.T("Packages")
	p.Crumbs = []link{{Text: p.Title}}
	return show(w, r, http.StatusOK, p.view())
}

// Promises are the limits of a package that people look at first.
func (p packageList) Promises(q hosting.Quota) string {
	var parts []string
	for _, r := range []hosting.Resource{hosting.Sites, hosting.Storage, hosting.Memory} {
		if n, ok := q[r]; ok {
			parts = append(parts, p.resourceName(r)+": "+strconv.FormatInt(n, 10))
		}
	}
	if len(parts) == 0 {
		return p.T("No limit")
	}
	return strings.Join(parts, " · ")
}

// packagePage is the form of a package, new or not.
type packagePage struct {
	*frame

	ID   hosting.ID // "" for a new one
	Name string
	// Amounts are the limits as they were typed.
	Amounts map[hosting.Resource]string
	Wrong   faults
	// Excess are the accounts that the limits would put over their quota.
	Excess []hosting.Excess
	// Delete asks for the package's deletion.
	Delete loss
}

// To is where the form goes.
func (p packagePage) To() string {
	if p.ID == "" {
		return "/packages"
	}
	return "/packages/" + string(p.ID)
}

func (s *Server) packagePage(r *http.Request, name string) packagePage {
	p := packagePage{frame: s.frame(r, placePackages), Name: name, Amounts: map[hosting.Resource]string{}}
	p.Title = name
	if name == "" {
		p.Title = p.T("New package")
	}
	p.Crumbs = []link{{Text: p.T("Packages"), To: "/packages"}, {Text: p.Title}}
	return p
}

func (s *Server) newPackage(w http.ResponseWriter, r *http.Request) error {
	p := s.packagePage(r, "")
	if err := hosting.May(p.Actor, hosting.RightPackageCreate, p.customersOf()); err != nil {
		return err
	}
	p.Amounts = map[hosting.Resource]string{hosting.Sites: "5", hosting.Storage: "25", hosting.Databases: "5"}
	return show(w, r, http.StatusOK, p.view())
}

// packageForm reads the form. A limit that is left empty is none.
func (s *Server) packageForm(r *http.Request) (packagePage, hosting.NewPackage) {
	p := s.packagePage(r, r.PostFormValue("name"))
	req := hosting.NewPackage{Name: p.Name, Quota: hosting.Quota{}}
	p.Wrong.fields = map[string]string{}
	for _, resource := range hosting.Resources() {
		text := strings.TrimSpace(r.PostFormValue(string(resource)))
		p.Amounts[resource] = text
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			p.Wrong.fields[string(resource)] = p.T("%q is not a whole number; write one, or nothing for no limit.", text)
			p.Wrong.Status = http.StatusUnprocessableEntity
		}
		req.Quota[resource] = n
	}
	return p, req
}

func (s *Server) createPackage(w http.ResponseWriter, r *http.Request) error {
	p, req := s.packageForm(r)
	if err := hosting.May(p.Actor, hosting.RightPackageCreate, p.customersOf()); err != nil {
		return err
	}
	if p.Wrong.Status != 0 {
		return show(w, r, p.Wrong.Status, p.view())
	}
	_, err := s.Rules.CreatePackage(r.Context(), p.Actor, req)
	if err == nil {
		return seeOther(w, r, "/packages")
	}
	if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, p.Wrong.Status, p.view())
}

func (s *Server) showPackage(w http.ResponseWriter, r *http.Request) error {
	found, err := s.Rules.Package(r.Context(), actor(r.Context()), hosting.ID(r.PathValue("package")))
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, s.packageAsIs(r, found).view())
}

// packageAsIs is the form of a package that there is.
func (s *Server) packageAsIs(r *http.Request, found *hosting.Package) packagePage {
	p := s.packagePage(r, found.Name)
	p.ID = found.ID
	for resource, n := range found.Quota {
		p.Amounts[resource] = strconv.FormatInt(n, 10)
	}
	p.mayGo(found)
	return p
}

// mayGo asks for the deletion of a package, or says who has it.
func (p *packagePage) mayGo(found *hosting.Package) {
	p.Delete = loss{
		ID: "delete", To: p.To() + "/delete", Title: p.T("Delete the package"), Button: p.T("Delete %s", found.Name), Name: found.Name,
		Tells: []string{p.T("Its limits are gone then, and nothing brings them back.")},
	}
	if found.Users > 0 {
		p.Delete.Barred = p.T("Accounts that have it: %d. Give them another package first.", found.Users)
	}
}

// changePackage shows first whom the limits would put over their quota.
func (s *Server) changePackage(w http.ResponseWriter, r *http.Request) error {
	p, req := s.packageForm(r)
	p.ID = hosting.ID(r.PathValue("package"))
	found, err := s.Rules.PackageFor(r.Context(), p.Actor, hosting.RightPackageChange, p.ID)
	if err != nil {
		return err
	}
	p.mayGo(found)
	if p.Wrong.Status != 0 {
		return show(w, r, p.Wrong.Status, p.view())
	}
	_, err = s.Rules.ChangePackage(r.Context(), p.Actor, p.ID, req, r.PostFormValue("accepted") != "")
	if err == nil {
		return seeOther(w, r, "/packages")
	}
	if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	if p.Wrong.Status == http.StatusConflict { // which nobody has to accept of limits that are none
		if p.Excess, err = s.Rules.PlanPackage(r.Context(), p.Actor, p.ID, req.Quota); err != nil {
			return err
		}
	}
	return show(w, r, p.Wrong.Status, p.view())
}

func (s *Server) deletePackage(w http.ResponseWriter, r *http.Request) error {
	found, err := s.Rules.PackageFor(r.Context(), actor(r.Context()), hosting.RightPackageDelete, hosting.ID(r.PathValue("package")))
	if err != nil {
		return err
	}
	p := s.packageAsIs(r, found)
	if !p.Delete.meant(p.frame, r) {
		return show(w, r, p.Delete.Wrong.Status, p.view())
	}
	err = s.Rules.DeletePackage(r.Context(), p.Actor, p.ID)
	if err == nil {
		return seeOther(w, r, "/packages")
	}
	if p.Delete.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, p.Delete.Wrong.Status, p.view())
}

// packageFields are the names of the form's fields.
func packageFields() []string {
	names := []string{"name"}
	for _, r := range hosting.Resources() {
		names = append(names, string(r))
	}
	return names
}
