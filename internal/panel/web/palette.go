package web

import (
	"context"
	"net/http"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// How many sites, accounts and headings of guides the palette shows at most: more than a glance takes in are
// found by typing on.
const (
	paletteSites  = 7
	paletteUsers  = 5
	paletteGuides = 7
)

// paletteFound is what the palette found.
type paletteFound struct {
	*frame

	Search string
	Groups []paletteGroup
}

// paletteGroup is what was found of one kind, under its title.
type paletteGroup struct {
	Title string
	Hits  []hit
}

// hit is a line of the palette: it leads to a page, or does something at once.
type hit struct {
	link

	// Note says what the line belongs to, such as a site.
	Note string
	// Named tells that Text is a name that somebody gave, in whatever direction of writing.
	Named bool
	// Posts tells that To is not a page but done.
	Posts bool
}

// palette looks for sites and their pages, accounts, places and actions by a part of
// their name.
func (s *Server) palette(w http.ResponseWriter, r *http.Request) error {
	p := paletteFound{frame: s.frame(r, placeNone), Search: strings.TrimSpace(r.FormValue("q"))}
	sites, err := s.sitesCalled(r.Context(), p)
	if err != nil {
		return err
	}
	users, err := s.usersCalled(r.Context(), p)
	if err != nil {
		return err
	}
	p.add(p.T("Sites"), sites)
	p.add(p.T("Accounts"), users)
	p.add(p.T("Pages"), p.called(p.pages()))
	p.add(p.T("Actions"), p.called(p.doable()))
	p.add(p.T("Guides"), p.guideHits())
	return show(w, r, http.StatusOK, p.view())
}

// sitesCalled are the sites whose name has what was typed, with their pages where one
// alone is left. A name has no space: what stands after one is a part of a page's name, as
// in "shop logs".
func (s *Server) sitesCalled(ctx context.Context, p paletteFound) ([]hit, error) {
	name, part, _ := strings.Cut(p.Search, " ")
	found, err := s.Rules.Sites(ctx, p.Actor, hosting.SiteQuery{Search: name, Limit: paletteSites, Brief: true})
	if err != nil {
		return nil, err
	}
	var hits []hit
	for _, row := range found.Items {
		icon, shown := runIcon(orEmpty(row.Domain)), hosting.ShowName(row.Name)
		tabs := p.siteTabs(&row, "")
		if part == "" {
			hits = append(hits, hit{link: link{Text: shown, To: siteURL(row.Name), Icon: icon}, Note: p.stateOf(&row).Text, Named: true})
			tabs = tabs[1:] // the first is the site's own line
		}
		if part == "" && (p.Search == "" || len(found.Items) > 1) {
			continue
		}
		for _, tab := range tabs {
			if has(tab.Text, part) {
				hits = append(hits, hit{link: link{Text: tab.Text, To: tab.To, Icon: "next"}, Note: shown})
			}
		}
	}
	return hits, nil
}

// usersCalled are the accounts that the actor looks after and whose name or address has
// what was typed. Who looks after none is led to the own account only, which is a page.
func (s *Server) usersCalled(ctx context.Context, p paletteFound) ([]hit, error) {
	if p.Search == "" || !p.Can(hosting.RightUserCreate, p.customersOf()) {
		return nil, nil
	}
	found, err := s.Rules.Users(ctx, p.Actor, hosting.UserQuery{Search: p.Search, Limit: paletteUsers})
	if err != nil {
		return nil, err
	}
	hits := make([]hit, len(found.Items))
	for i, u := range found.Items {
		hits[i] = hit{link: link{Text: u.Name, To: userURL(u.ID), Icon: "account"}, Note: u.Email, Named: true}
	}
	return hits, nil
}

// add shows what was found under a title; nothing needs none.
func (p *paletteFound) add(title string, hits []hit) {
	if len(hits) > 0 {
		p.Groups = append(p.Groups, paletteGroup{Title: title, Hits: hits})
	}
}

// called are those that what was typed stands in.
func (p paletteFound) called(all []hit) []hit {
	var found []hit
	for _, h := range all {
		if has(h.Text, p.Search) || p.Search != "" && has(h.Note, p.Search) {
			found = append(found, h)
		}
	}
	return found
}

// has tells whether a part stands in a text, in whatever case.
func has(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// pages is where the actor can go from anywhere.
func (f *frame) pages() []hit {
	var hits []hit
	for _, l := range f.Places() {
		hits = append(hits, hit{link: l})
	}
	if f.Can(hosting.RightPlatformView, hosting.Object{}) {
		for _, l := range f.platformTabs()[1:] { // the place itself is the first
			l.Icon = "platform"
			hits = append(hits, hit{link: l, Note: f.T("Platform")})
		}
	}
	if f.Can(hosting.RightPlatformChange, hosting.Object{}) {
		hits = append(hits, hit{link: link{Text: f.T("Company sign-in"), To: "/companies", Icon: "users"}, Note: f.T("Accounts")},
			hit{link: link{Text: f.T("Applications"), To: "/applications", Icon: "users"}, Note: f.T("Accounts")})
	}
	return append(hits, hit{link: link{Text: f.T("Your account"), To: "/account", Icon: "account"}},
		hit{link: link{Text: f.T("Tokens"), To: tokensURL, Icon: "key"}, Note: f.T("Your account")})
}

// doable is what the actor can do from anywhere.
func (f *frame) doable() []hit {
	own, customers := hosting.Object{Owner: f.Actor.ID}, f.customersOf()
	all := []struct {
		may            bool
		text, to, icon string
		posts          bool
	}{
		{may: f.Can(hosting.RightSiteCreate, own), text: f.T("New site"), to: "/sites/new", icon: "plus"},
		{may: f.Can(hosting.RightUserCreate, customers), text: f.T("New account"), to: "/users/new", icon: "plus"},
		{may: f.Can(hosting.RightPackageCreate, customers), text: f.T("New package"), to: "/packages/new", icon: "plus"},
		{may: f.Can(hosting.RightCollaboratorInvite, own), text: f.T("Invite somebody"), to: collaboratorsURL(f.Actor.ID) + "#invite-title", icon: "people"},
		{may: f.Actor.Behind == "", text: f.T("New token"), to: tokensURL + "#token-title", icon: "key"},
		{may: f.Actor.Behind != "", text: f.T("Go back to your own"), to: "/act-as/end", icon: "leave", posts: true},
		{may: true, text: f.T("Sign out"), to: "/sign-out", icon: "leave", posts: true},
	}
	var hits []hit
	for _, a := range all {
		if a.may {
			hits = append(hits, hit{link: link{Text: a.text, To: a.to, Icon: a.icon}, Posts: a.posts})
		}
	}
	return hits
}

// guideHits are what there is to read: the guides and their parts once something is
// typed, and before that where they are.
func (p paletteFound) guideHits() []hit {
	api := hit{link: link{Text: p.T("How the API works"), To: "/api/v1/docs", Icon: "info"}}
	if p.Search == "" {
		return []hit{{link: link{Text: p.T("Guides"), To: guidesURL, Icon: "info"}}, api}
	}
	hits := []hit{api}
	for _, g := range p.guidesOf() {
		hits = append(hits, hit{link: link{Text: g.Title, To: g.url(), Icon: "info"}, Named: true})
		for _, part := range g.Parts {
			hits = append(hits, hit{link: link{Text: part.Title, To: g.url() + "#" + part.ID, Icon: "info"}, Named: true})
		}
	}
	found := p.called(hits)
	return found[:min(len(found), paletteGuides)]
}
