package web

import (
	"net/http"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// paletteSites is how many sites the palette shows at most: more than a glance takes
// in are found by typing on.
const paletteSites = 7

// paletteFound is what the palette found.
type paletteFound struct {
	*frame

	Search string
	Found  []link
	Sites  []hosting.OwnedSite
}

// palette looks for places, actions and sites by a part of their name.
func (s *Server) palette(w http.ResponseWriter, r *http.Request) error {
	p := paletteFound{frame: s.frame(r, placeNone), Search: strings.TrimSpace(r.FormValue("q"))}
	for _, l := range p.doable() {
		if strings.Contains(strings.ToLower(l.Text), strings.ToLower(p.Search)) {
			p.Found = append(p.Found, l)
		}
	}
	sites, err := s.Rules.Sites(r.Context(), p.Actor, hosting.SiteQuery{Search: p.Search, Limit: paletteSites})
	if err != nil {
		return err
	}
	p.Sites = sites.Items
	return show(w, r, http.StatusOK, p.view())
}

// doable is where the actor can go, and what can be done from anywhere.
func (f *frame) doable() []link {
	links := f.Places()
	if f.Can(hosting.RightSiteCreate, hosting.Object{Owner: f.Actor.ID}) {
		links = append(links, link{Text: f.T("New site"), To: "/sites/new", Icon: "plus"})
	}
	return append(links, link{Text: f.T("Your account"), To: "/account", Icon: "account"})
}
