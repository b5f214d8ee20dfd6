package web

import (
	"net/http"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// userShow is the page of one account.
type userShow struct {
	*frame

	User     *hosting.User
	Usage    []hosting.QuotaLine
	Packages []hosting.Package
	Sites    siteList
	// Link is a one-time link for the account's first password, shown once.
	Link string
	// Mails: the panel can send such a link itself; Mailed: it has just begun to.
	Mails, Mailed bool
	Wrong         faults
	// Factors are what it has beside a password; FactorsGone: they were just taken away.
	Factors     auth.Factors
	FactorsGone bool
	// Confirm is what was typed in place of the address of whose factors end.
	Confirm      string
	WrongFactors faults
	// Delete asks for the account's deletion.
	Delete loss
}

func (s *Server) userShow(r *http.Request) (userShow, error) {
	a, id := actor(r.Context()), hosting.ID(r.PathValue("user"))
	u, err := s.Rules.User(r.Context(), a, id)
	if err != nil {
		return userShow{}, err
	}
	p := userShow{frame: s.frame(r, placeUsers), User: u, Mails: s.Doors.Mails(), Mailed: r.URL.Query().Has("mailed"), FactorsGone: r.URL.Query().Has("factors-gone")}
	p.Title = u.Name
	p.Crumbs = []link{{Text: p.T("Accounts"), To: "/users"}, {Text: u.Name}}
	p.Badge = &badge{Text: p.roleName(u.Role), Kind: "plain"}
	if u.Suspended {
		p.Badge = &badge{Text: p.T("Suspended")}
	}
	if p.Usage, err = s.Rules.Usage(r.Context(), a, id); err != nil {
		return p, err
	}
	if p.Factors, err = s.Doors.FactorsOf(r.Context(), a, id); err != nil {
		return p, err
	}
	if p.Can(hosting.RightUserChange, u.Object()) { // whoever may not has no choice of them
		if p.Packages, err = s.Rules.Packages(r.Context(), a); err != nil {
			return p, err
		}
	}
	sites, err := s.Rules.Sites(r.Context(), a, hosting.SiteQuery{Owner: id})
	p.Sites = siteList{frame: p.frame, Rows: sites.Items, Total: sites.Total}
	if err != nil || !p.Can(hosting.RightUserDelete, u.Object()) {
		return p, err
	}
	p.Delete, err = s.userLoss(r, &p)
	return p, err
}

// userLoss asks for the deletion of an account, or says what it still has.
func (s *Server) userLoss(r *http.Request, p *userShow) (loss, error) {
	l := loss{
		ID: "delete", To: userURL(p.User.ID) + "/delete", Title: p.T("Delete the account"), Button: p.T("Delete %s", p.User.Email), Name: p.User.Email, LTR: true,
		Tells: []string{p.T("Its tokens, its webhooks, its ways to sign in and the rights that it gave or was given go with it. Nothing brings them back.")},
	}
	customers, packages, err := s.Rules.Sells(r.Context(), p.User)
	switch {
	case err != nil:
	case p.Sites.Total > 0:
		l.Barred = p.T("Sites that it still has: %d. Delete them first, or give them to another account.", p.Sites.Total)
	case customers > 0:
		l.Barred = p.T("Customers that it still has: %d. Delete their accounts first.", customers)
	case packages > 0:
		l.Barred = p.T("Packages that it still has: %d. Delete them first.", packages)
	}
	return l, err
}

func (s *Server) showUser(w http.ResponseWriter, r *http.Request) error {
	p, err := s.userShow(r)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

func (s *Server) changeUser(w http.ResponseWriter, r *http.Request) error {
	id := hosting.ID(r.PathValue("user"))
	email, name, pack := r.PostFormValue("email"), r.PostFormValue("name"), hosting.ID(r.PostFormValue("package"))
	_, err := s.Rules.ChangeUser(r.Context(), actor(r.Context()), id, hosting.UserChange{Email: &email, Name: &name, Package: &pack})
	if err == nil {
		return seeOther(w, r, userURL(id))
	}
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p, err := s.userShow(r)
	if err != nil {
		return err
	}
	p.Wrong, p.User.Email, p.User.Name, p.User.Package = wrong, email, name, pack
	return show(w, r, wrong.Status, p.view())
}

func (s *Server) suspendUser(w http.ResponseWriter, r *http.Request) error {
	return s.setUserSuspended(w, r, true)
}

func (s *Server) resumeUser(w http.ResponseWriter, r *http.Request) error {
	return s.setUserSuspended(w, r, false)
}

func (s *Server) setUserSuspended(w http.ResponseWriter, r *http.Request, to bool) error {
	id := hosting.ID(r.PathValue("user"))
	if err := s.Rules.SuspendUser(r.Context(), actor(r.Context()), id, to); err != nil {
		return err
	}
	return seeOther(w, r, userURL(id))
}

func (s *Server) signUserOut(w http.ResponseWriter, r *http.Request) error {
	id := hosting.ID(r.PathValue("user"))
	if err := s.Doors.EndSessions(r.Context(), actor(r.Context()), id); err != nil {
		return err
	}
	return seeOther(w, r, userURL(id))
}

// resetFactors wants the account's address typed and the password of who asks: whoever
// gets to another's account this way has it.
func (s *Server) resetFactors(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Rules.UserFor(r.Context(), actor(r.Context()), hosting.RightUserFactors, hosting.ID(r.PathValue("user"))); err != nil {
		return err
	}
	p, err := s.userShow(r)
	if err != nil {
		return err
	}
	p.Confirm = r.PostFormValue("confirm")
	if !strings.EqualFold(strings.TrimSpace(locale.Plain(p.Confirm)), p.User.Email) {
		p.WrongFactors = faults{fields: map[string]string{"confirm": p.T("Type %s to say that you mean this account.", p.User.Email)}}
		return show(w, r, http.StatusUnprocessableEntity, p.view())
	}
	err = s.Doors.ResetFactors(r.Context(), actor(r.Context()), p.User.ID, r.PostFormValue("password"), p.Tag)
	if err == nil {
		return seeOther(w, r, userURL(p.User.ID)+"?factors-gone=1")
	}
	if p.WrongFactors, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, p.WrongFactors.Status, p.view())
}

func (s *Server) deleteUser(w http.ResponseWriter, r *http.Request) error {
	id := hosting.ID(r.PathValue("user"))
	if _, err := s.Rules.UserFor(r.Context(), actor(r.Context()), hosting.RightUserDelete, id); err != nil {
		return err
	}
	p, err := s.userShow(r)
	if err != nil {
		return err
	}
	if !p.Delete.meant(p.frame, r) {
		return show(w, r, p.Delete.Wrong.Status, p.view())
	}
	err = s.Rules.DeleteUser(r.Context(), p.Actor, id)
	if err == nil {
		return seeOther(w, r, "/users")
	}
	if p.Delete.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, p.Delete.Wrong.Status, p.view())
}

func (f *frame) onOff(on bool) string {
	if on {
		return f.T("On")
	}
	return f.T("Off")
}

// resourceName is what a resource of a package is called.
func (f *frame) resourceName(r hosting.Resource) string {
	return f.T(map[hosting.Resource]string{
		hosting.Sites: "Sites", hosting.Storage: "Storage (GiB)", hosting.CPU: "Processor (1/1000 core)", hosting.Memory: "Memory (MiB)",
		hosting.Mailboxes: "Mailboxes", hosting.MailAliases: "Mail aliases", hosting.DomainAliases: "Domain aliases",
		hosting.Databases: "Databases", hosting.Backups: "Backups kept", hosting.Traffic: "Traffic (GiB a month)",
	}[r])
}

// full is how full a line of a quota is, in hundredths.
func full(l hosting.QuotaLine) fill {
	f := fill{Used: itoa(int(l.Used))}
	if l.Limit == nil {
		return f
	}
	f.Size, f.Known, f.Percent = itoa(int(*l.Limit)), true, 100
	if *l.Limit > 0 {
		f.Percent = int(min(100, l.Used*100 / *l.Limit))
	}
	return f
}
