package rest

import (
	"context"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) applications() {
	see, do := hosting.RightPlatformView, hosting.RightPlatformChange
	handle(s, operation{method: http.MethodGet, path: "/applications", id: "listApplications", summary: "List the applications that people sign in to by the panel", scope: see}, s.listApplications)
	handle(s, operation{method: http.MethodPost, path: "/applications", id: "createApplication", summary: "Let people sign in to an application by the panel", scope: do, status: http.StatusCreated, shows: "secret",
		says: "An application is a client of OpenID Connect. Its ID is the client's, and its secret is shown this once; a public one has none."}, s.createApplication)
	handle(s, operation{method: http.MethodGet, path: "/applications/{application}", id: "getApplication", summary: "Show an application", scope: see}, s.getApplication)
	handle(s, operation{method: http.MethodPut, path: "/applications/{application}", id: "replaceApplication", summary: "Change an application", scope: do}, s.replaceApplication)
	handle(s, operation{method: http.MethodDelete, path: "/applications/{application}", id: "deleteApplication", summary: "Remove an application", scope: do, status: http.StatusNoContent,
		says: "What it was given counts no more."}, s.deleteApplication)
	handle(s, operation{method: http.MethodPost, path: "/applications/{application}/secret", id: "renewApplicationSecret", summary: "Give an application another secret", scope: do, secret: true}, s.renewApplication)
}

// Application is what people sign in to by the panel.
type Application struct {
	ID hosting.ID `json:"id" doc:"Also the client's ID."`
	NewApplication
	Secret    string    `json:"secret,omitempty" doc:"The client's secret; shown when it is made or renewed."`
	CreatedAt time.Time `json:"createdAt"`
}

// NewApplication is what can be chosen of one.
type NewApplication struct {
	Name      string         `json:"name" maxLength:"300"`
	Redirects []string       `json:"redirects" maxItems:"20" example:"[\"https://grafana.example.com/login/generic_oauth\"]" doc:"Where people are sent back to, compared letter by letter."`
	Farewells []string       `json:"farewells,omitempty" maxItems:"20" doc:"Where people may be sent to after signing out."`
	Logout    string         `json:"logout,omitempty" maxLength:"500" doc:"What is told when somebody's session ends (OpenID Connect Back-Channel Logout)."`
	Inside    bool           `json:"inside,omitempty" doc:"That address may be one that is not public, such as http://grafana.tools.svc:3000/logout."`
	Public    bool           `json:"public,omitempty" doc:"It runs where it can keep no secret, such as on people's own computers: it has none, and each sign-in asks the person. Chosen when it is made; left as it is afterwards."`
	Roles     []hosting.Role `json:"roles" maxItems:"4" enum:"administrator,reseller,customer,collaborator" doc:"Whose accounts may sign in."`
}

func (n NewApplication) wanted(id hosting.ID) hosting.Application {
	return hosting.Application{ID: id, Name: n.Name, Redirects: n.Redirects, Farewells: n.Farewells, Logout: n.Logout, Inside: n.Inside, Public: n.Public, Roles: n.Roles}
}

func applicationOf(a *hosting.Application) Application {
	return Application{ID: a.ID, NewApplication: NewApplication{Name: a.Name, Redirects: a.Redirects, Farewells: a.Farewells, Logout: a.Logout, Inside: a.Inside, Public: a.Public, Roles: a.Roles}, CreatedAt: a.CreatedAt}
}

func applicationWith(a *hosting.Application, secret string) *versioned[Application] {
	shown := applicationOf(a)
	shown.Secret = secret
	return versionedAs(a.Version(), shown)
}

// ApplicationPath is an operation on one application.
type ApplicationPath struct {
	Application hosting.ID `path:"application" maxLength:"64"`
}

func (s *Server) listApplications(ctx context.Context, a hosting.Actor, in *Paging) (*answer[List[Application]], error) {
	found, err := s.Rules.Applications(ctx, a)
	if err != nil {
		return nil, err
	}
	return paged(*in, found, func(a *hosting.Application) string { return byName(a.Name, a.ID) }, applicationOf)
}

func (s *Server) createApplication(ctx context.Context, a hosting.Actor, in *struct{ Body NewApplication }) (*versioned[Application], error) {
	made, secret, err := s.rules(ctx).CreateApplication(ctx, a, in.Body.wanted(""))
	if err != nil {
		return nil, err
	}
	r := applicationWith(made, secret)
	r.Location = Prefix + "/applications/" + string(made.ID)
	return r, nil
}

func (s *Server) getApplication(ctx context.Context, a hosting.Actor, in *ApplicationPath) (*versioned[Application], error) {
	found, err := s.Rules.Application(ctx, a, in.Application)
	if err != nil {
		return nil, err
	}
	return applicationWith(found, ""), nil
}

func (s *Server) replaceApplication(ctx context.Context, a hosting.Actor, in *struct {
	ApplicationPath
	Condition
	Body NewApplication
}) (*versioned[Application], error) {
	changed, err := s.Rules.If(in.version()).ChangeApplication(ctx, a, in.Body.wanted(in.Application))
	if err != nil {
		return nil, err
	}
	return applicationWith(changed, ""), nil
}

func (s *Server) deleteApplication(ctx context.Context, a hosting.Actor, in *struct {
	ApplicationPath
	Condition
}) (*struct{}, error) {
	return nil, s.Rules.If(in.version()).DeleteApplication(ctx, a, in.Application)
}

func (s *Server) renewApplication(ctx context.Context, a hosting.Actor, in *ApplicationPath) (*versioned[Application], error) {
	changed, secret, err := s.Rules.RenewApplication(ctx, a, in.Application)
	if err != nil {
		return nil, err
	}
	return applicationWith(changed, secret), nil
}
