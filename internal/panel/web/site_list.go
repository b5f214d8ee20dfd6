package web

import (
	"net/http"
	"net/url"
	"slices"

	"kubepanel.io/kubepanel/internal/hosting"
)

// siteList is the page of all sites that somebody may see.
type siteList struct {
	*frame

	Search string
	Rows   []hosting.OwnedSite
	Total  int64
	Next   string // the address of the next page; "" on the last
	// Owners shows whose each site is, Measured what it uses.
	Owners, Measured bool
	Create           bool
	// Harmful is how many harmful files of each site nobody decided about.
	Harmful map[string]int64
}

func (s *Server) listSites(w http.ResponseWriter, r *http.Request) error {
	q := hosting.SiteQuery{Search: r.FormValue("q"), After: r.FormValue("after"), Owner: hosting.ID(r.FormValue("owner")), Brief: true}
	found, err := s.Rules.Sites(r.Context(), actor(r.Context()), q)
	if err != nil {
		return err
	}
	p := siteList{frame: s.frame(r, placeSites), Search: q.Search, Rows: found.Items, Total: found.Total}
	p.Title = p.T("Sites")
	p.Crumbs = []link{{Text: p.Title}}
	p.Owners = p.Actor.Role != hosting.Customer
	p.Measured = slices.ContainsFunc(p.Rows, func(s hosting.OwnedSite) bool { return s.Use != nil })
	p.Create = p.Can(hosting.RightSiteCreate, hosting.Object{Owner: p.Actor.ID})
	if p.Harmful, err = s.harmful(r, p.frame, p.Rows...); err != nil {
		return err
	}
	if found.Next != "" {
		p.Next = "/sites?" + url.Values{"q": {q.Search}, "owner": {string(q.Owner)}, "after": {found.Next}}.Encode()
	}
	if partial(r) {
		return show(w, r, http.StatusOK, p.table())
	}
	return show(w, r, http.StatusOK, p.view())
}
