package rest

import (
	"context"
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) collaborators() {
	handle(s, operation{method: http.MethodGet, path: "/users/{user}/collaborators", id: "listCollaborators", summary: "List who has rights on an account's sites",
		scope: hosting.RightCollaboratorView}, s.listCollaborators)
	handle(s, operation{method: http.MethodPost, path: "/users/{user}/collaborators", id: "inviteCollaborator", summary: "Give somebody rights on an account's sites",
		scope: hosting.RightCollaboratorInvite, says: "To invite again replaces the rights on the same sites."}, s.invite)
	handle(s, operation{method: http.MethodDelete, path: "/users/{user}/collaborators/{collaborator}", id: "removeCollaborator", summary: "Take rights away",
		scope: hosting.RightCollaboratorRemove, status: http.StatusNoContent}, s.removeCollaborator)
}

// Collaborator is somebody with rights on sites of an account.
type Collaborator struct {
	ID     hosting.ID      `json:"id"`
	Email  string          `json:"email"`
	Name   string          `json:"name"`
	Site   string          `json:"site,omitempty" doc:"Missing: all of the account's sites."`
	Rights []hosting.Right `json:"rights"`
}

func (s *Server) listCollaborators(ctx context.Context, a hosting.Actor, in *struct {
	UserPath
	Paging
}) (*answer[List[Collaborator]], error) {
	found, err := s.Rules.Collaborators(ctx, a, in.User)
	if err != nil {
		return nil, err
	}
	return paged(in.Paging, found, func(g *hosting.GrantedUser) string { return g.User.Email + "\n" + g.Grant.Site }, func(g *hosting.GrantedUser) Collaborator {
		return Collaborator{ID: g.User.ID, Email: g.User.Email, Name: g.User.Name, Site: g.Grant.Site, Rights: g.Grant.Rights}
	})
}

func (s *Server) invite(ctx context.Context, a hosting.Actor, in *struct {
	UserPath
	Body struct {
		Email  string          `json:"email" maxLength:"300"`
		Name   string          `json:"name" maxLength:"300"`
		Site   string          `json:"site,omitempty" maxLength:"253" doc:"One site; all when left out."`
		Rights []hosting.Right `json:"rights" maxItems:"100" doc:"Such as site.files, site.logs."`
	} `nameHint:"Invitation"`
}) (*answer[Collaborator], error) {
	b := in.Body
	u, err := s.rules(ctx).Invite(ctx, a, hosting.Invitation{Email: b.Email, Name: b.Name, Customer: in.User, Site: b.Site, Rights: b.Rights})
	if err != nil {
		return nil, err
	}
	return &answer[Collaborator]{Collaborator{ID: u.ID, Email: u.Email, Name: u.Name, Site: b.Site, Rights: b.Rights}}, nil
}

func (s *Server) removeCollaborator(ctx context.Context, a hosting.Actor, in *struct {
	UserPath
	Collaborator hosting.ID `path:"collaborator" maxLength:"64"`
	Site         string     `query:"site" maxLength:"253" doc:"The site that the rights are on; missing for all."`
}) (*struct{}, error) {
	return nil, s.Rules.RemoveCollaborator(ctx, a, in.Collaborator, hosting.Grant{Customer: in.User, Site: in.Site})
}
