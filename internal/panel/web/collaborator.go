package web

import (
	"net/http"
	"slices"

	"kubepanel.io/kubepanel/internal/hosting"
)

// collaborators is the page of who has rights on a customer's sites.
type collaborators struct {
	*frame

	Owner  *hosting.User
	Grants []hosting.GrantedUser
	Sites  []hosting.OwnedSite
	Form   hosting.Invitation
	// Link is a one-time link for the first password of somebody new, shown once, and
	// Invited whose it is. Mailed says that it went by mail instead.
	Link, Invited, Mailed string
	Wrong                 faults
}

func collaboratorsURL(of hosting.ID) string { return userURL(of) + "/collaborators" }

func (s *Server) collaborators(r *http.Request) (collaborators, error) {
	a, id := actor(r.Context()), hosting.ID(r.PathValue("user"))
	owner, err := s.Rules.User(r.Context(), a, id)
	if err != nil {
		return collaborators{}, err
	}
	p := collaborators{frame: s.frame(r, placePeople), Owner: owner}
	p.Title = p.T("Collaborators")
	p.Crumbs = []link{{Text: p.Title}}
	if owner.ID != a.ID {
		p.At = placeUsers
		p.Crumbs = []link{{Text: p.T("Accounts"), To: "/users"}, {Text: owner.Name, To: userURL(id)}, {Text: p.Title}}
	}
	p.Form.Rights = []hosting.Right{hosting.RightSiteView, hosting.RightSiteFiles, hosting.RightSiteLogs}
	if p.Grants, err = s.Rules.Collaborators(r.Context(), a, id); err != nil {
		return p, err
	}
	const most = 200 // of the choices; an invitation to a further site is made on all of them
	sites, err := s.Rules.Sites(r.Context(), a, hosting.SiteQuery{Owner: id, Limit: most})
	p.Sites = sites.Items
	return p, err
}

func (s *Server) listCollaborators(w http.ResponseWriter, r *http.Request) error {
	p, err := s.collaborators(r)
	if err != nil {
		return err
	}
	p.Form.Site = r.FormValue("site")
	return show(w, r, http.StatusOK, p.view())
}

// invite gives rights, and lets somebody new in: by mail, or by a link to hand on.
func (s *Server) invite(w http.ResponseWriter, r *http.Request) error {
	form := hosting.Invitation{Email: r.PostFormValue("email"), Name: r.PostFormValue("name"), Site: r.PostFormValue("site"), Customer: hosting.ID(r.PathValue("user"))}
	for _, right := range r.PostForm["right"] {
		form.Rights = append(form.Rights, hosting.Right(right))
	}
	u, err := s.Rules.Invite(r.Context(), actor(r.Context()), form)
	if err != nil {
		return s.inviteAgain(w, r, form, err)
	}
	link, mailed, err := s.letIn(r, u)
	if err != nil {
		return s.inviteAgain(w, r, form, err)
	}
	p, err := s.collaborators(r)
	if err != nil {
		return err
	}
	p.Link, p.Invited, p.Mailed = link, u.Email, mailed
	return show(w, r, http.StatusOK, p.view())
}

// inviteAgain shows the form with what was wrong.
func (s *Server) inviteAgain(w http.ResponseWriter, r *http.Request, form hosting.Invitation, err error) error {
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p, err := s.collaborators(r)
	if err != nil {
		return err
	}
	p.Form, p.Wrong = form, wrong
	return show(w, r, wrong.Status, p.view())
}

// letIn tells somebody new how to come in. Who has a password already needs nothing,
// and so does who got rights from others too: only the account's owner may make it a
// link then.
func (s *Server) letIn(r *http.Request, u *hosting.User) (link, mailed string, err error) {
	by := actor(r.Context())
	if s.Doors.Mails() {
		if err = s.Doors.MailInvitation(r.Context(), by, u.ID, s.locales.Of(r).Tag); err == nil {
			return "", u.Email, nil
		}
	} else {
		var token string
		if token, err = s.Doors.InviteLink(r.Context(), by, u.ID); err == nil {
			return s.Doors.URL.JoinPath("password").String() + "#" + token, "", nil
		}
	}
	if code := hosting.CodeOf(err); code == hosting.Conflict || code == hosting.Forbidden || code == hosting.NotFound {
		return "", "", nil
	}
	return "", "", err
}

func (s *Server) removeCollaborator(w http.ResponseWriter, r *http.Request) error {
	id := hosting.ID(r.PathValue("user"))
	g := hosting.Grant{Customer: id, Site: r.PostFormValue("site")}
	if err := s.Rules.RemoveCollaborator(r.Context(), actor(r.Context()), hosting.ID(r.PostFormValue("collaborator")), g); err != nil {
		return err
	}
	return seeOther(w, r, collaboratorsURL(id))
}

// rightName is what a right is called.
func (f *frame) rightName(r hosting.Right) string {
	switch r {
	case hosting.RightSiteView:
		return f.T("See the site")
	case hosting.RightSiteChange:
		return f.T("Change it")
	case hosting.RightSiteRestart:
		return f.T("Restart it")
	case hosting.RightSitePassword:
		return f.T("See passwords")
	case hosting.RightSiteFiles:
		return f.T("Files")
	case hosting.RightSiteTerminal:
		return f.T("Terminal")
	case hosting.RightSiteDatabase:
		return f.T("Database")
	case hosting.RightSiteLogs:
		return f.T("Logs")
	case hosting.RightSiteCron:
		return f.T("Cron jobs")
	case hosting.RightSiteCreate:
		return f.T("Make sites")
	case hosting.RightSiteDelete:
		return f.T("Delete sites")
	}
	return string(r)
}

// Has tells whether a right is chosen.
func (p collaborators) Has(r hosting.Right) bool { return slices.Contains(p.Form.Rights, r) }
