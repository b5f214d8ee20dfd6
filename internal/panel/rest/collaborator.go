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
		scope: hosting.RightCollaboratorInvite, also: hosting.RightCollaboratorView, says: "To invite again replaces the rights on the same sites."}, s.invite)
	handle(s, operation{method: http.MethodGet, path: "/users/{user}/collaborators/{collaborator}", id: "getCollaborator", summary: "Show somebody's rights on an account's sites",
		scope: hosting.RightCollaboratorView}, s.getCollaborator)
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
	return paged(in.Paging, found, func(g *hosting.GrantedUser) string { return g.User.Email + "\n" + g.Grant.Site }, collaboratorOf)
}

func collaboratorOf(g *hosting.GrantedUser) Collaborator {
	return Collaborator{ID: g.User.ID, Email: g.User.Email, Name: g.User.Name, Site: g.Grant.Site, Rights: g.Grant.Rights}
}

// CollaboratorPath is an operation on what one collaborator has.
type CollaboratorPath struct {
	UserPath
	Collaborator hosting.ID `path:"collaborator" maxLength:"64"`
	Site         string     `query:"site" maxLength:"253" doc:"The site that the rights are on; missing for all."`
}

func (s *Server) getCollaborator(ctx context.Context, a hosting.Actor, in *CollaboratorPath) (*versioned[Collaborator], error) {
	return s.showCollaborator(ctx, a, *in)
}

func (s *Server) showCollaborator(ctx context.Context, a hosting.Actor, at CollaboratorPath) (*versioned[Collaborator], error) {
	found, err := s.Rules.Collaborator(ctx, a, at.User, at.Collaborator, at.Site)
	if err != nil {
		return nil, err
	}
	return versionedAs(found.Version(), collaboratorOf(found)), nil
}

func (s *Server) invite(ctx context.Context, a hosting.Actor, in *struct {
	UserPath
	Condition
	Body struct {
		Email  string          `json:"email" maxLength:"300"`
		Name   string          `json:"name" maxLength:"300"`
		Site   string          `json:"site,omitempty" maxLength:"253" doc:"One site; all when left out."`
		Rights []hosting.Right `json:"rights" maxItems:"100" doc:"Such as site.files, site.logs."`
	} `nameHint:"Invitation"`
}) (*versioned[Collaborator], error) {
	b := in.Body
	u, err := s.rules(ctx).If(in.version()).Invite(ctx, a, hosting.Invitation{Email: b.Email, Name: b.Name, Customer: in.User, Site: b.Site, Rights: b.Rights})
	if err != nil {
		return nil, err
	}
	return s.showCollaborator(ctx, a, CollaboratorPath{UserPath: in.UserPath, Collaborator: u.ID, Site: b.Site})
}

func (s *Server) removeCollaborator(ctx context.Context, a hosting.Actor, in *struct {
	CollaboratorPath
	Condition
}) (*struct{}, error) {
	return nil, s.Rules.If(in.version()).RemoveCollaborator(ctx, a, in.Collaborator, hosting.Grant{Customer: in.User, Site: in.Site})
}
