package web

import (
	"net/http"
	"net/url"

	"kubepanel.io/kubepanel/internal/hosting"
)

// userList is the page of all accounts that somebody may see.
type userList struct {
	*frame

	Search string
	Users  []hosting.User
	Total  int64
	Next   string
}

func (s *Server) listUsers(w http.ResponseWriter, r *http.Request) error {
	q := hosting.UserQuery{Search: r.FormValue("q"), After: r.FormValue("after")}
	found, err := s.Rules.Users(r.Context(), actor(r.Context()), q)
	if err != nil {
		return err
	}
	p := userList{frame: s.frame(r, placeUsers), Search: q.Search, Users: found.Items, Total: found.Total}
	p.Title = p.T("Accounts")
	p.Crumbs = []link{{Text: p.Title}}
	if found.Next != "" {
		p.Next = "/users?" + url.Values{"q": {q.Search}, "after": {found.Next}}.Encode()
	}
	if partial(r) {
		return show(w, r, http.StatusOK, p.table())
	}
	return show(w, r, http.StatusOK, p.view())
}

// roleName is what a role is called.
func (f *frame) roleName(r hosting.Role) string {
	switch r {
	case hosting.Administrator:
		return f.T("Administrator")
	case hosting.Reseller:
		return f.T("Reseller")
	case hosting.Customer:
		return f.T("Customer")
	case hosting.Collaborator:
		return f.T("Collaborator")
	}
	return string(r)
}

func userURL(id hosting.ID) string { return "/users/" + string(id) }
