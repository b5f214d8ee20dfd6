package web

import (
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
)

// homePage is what somebody sees first.
type homePage struct {
	*frame

	Sites siteList
	Usage []hosting.QuotaLine
	// Todo is the checklist of a new platform; empty once all of it is done.
	Todo []task
	// Sending is how far the audit trail came to the log server, where somebody should look.
	Sending *hosting.SendingState
}

// task is a line of it.
type task struct {
	link

	Done bool
}

// recentSites is how many sites the overview shows.
const recentSites = 8

func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	ctx, a := r.Context(), actor(r.Context())
	p := homePage{frame: s.frame(r, placeHome)}
	p.Title = p.T("Overview")
	p.Crumbs = []link{{Text: p.Title}}
	sites, err := s.Rules.Sites(ctx, a, hosting.SiteQuery{Limit: recentSites})
	if err != nil {
		return err
	}
	p.Sites = siteList{frame: p.frame, Rows: sites.Items, Total: sites.Total, Create: p.Can(hosting.RightSiteCreate, hosting.Object{Owner: a.ID})}
	if p.Sites.Harmful, err = s.harmful(r, p.frame, sites.Items...); err != nil {
		return err
	}
	switch a.Role {
	case hosting.Administrator:
		err = s.overlooked(r, &p)
	case hosting.Customer, hosting.Reseller:
		p.Usage, err = s.Rules.Usage(ctx, a, a.ID)
	case hosting.Collaborator:
	}
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// overlooked is what an administrator should know of.
func (s *Server) overlooked(r *http.Request, p *homePage) error {
	state, err := s.sending(r)
	if err != nil {
		return err
	}
	if p.late(state) {
		p.Sending = state
	}
	if p.brand.FirstStepsAway {
		return nil
	}
	return s.checklist(r, p)
}

// checklist is what a provider does first, for as long as something of it is left.
func (s *Server) checklist(r *http.Request, p *homePage) error {
	packages, err := s.Rules.Packages(r.Context(), p.Actor)
	if err != nil {
		return err
	}
	users, err := s.Rules.Users(r.Context(), p.Actor, hosting.UserQuery{Role: hosting.Customer, Limit: 1})
	if err != nil {
		return err
	}
	scanner, err := s.Rules.ScannerState(r.Context(), p.Actor)
	if err != nil {
		return err
	}
	tasks := []task{
		{link{Text: p.T("Make a package: what a customer may use"), To: "/packages/new"}, len(packages) > 0},
		{link{Text: p.T("Make a customer"), To: "/users/new"}, users.Total > 0},
		{link{Text: p.T("Make a site"), To: "/sites/new"}, p.Sites.Total > 0},
		{link{Text: p.T("Ask for more than a password of those who sign in with a new browser"), To: settingsURL + "#signing-in"}, len(s.Doors.Unguarded()) == 0},
		{link{Text: p.T("Have uploads and the files of sites looked at for harmful programs"), To: settingsURL + "#scanner"}, scanner == hosting.ScannerLooks},
	}
	for _, t := range tasks {
		if !t.Done {
			p.Todo = tasks
		}
	}
	return nil
}
