package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/hosting"
)

// allSites is the address of the whole list.
const allSites = "/sites"

// siteList is the page of all sites that somebody may see.
type siteList struct {
	*frame

	Search string
	Owner  hosting.ID
	Only   hosting.SiteFilter
	Wrong  faults
	// Runtimes are those that the list can be narrowed to.
	Runtimes []runtimeChoice
	Rows     []hosting.OwnedSite
	Total    int64  // of those that are narrowed by state or runtime nobody counts
	Next     string // the address of the next page; "" on the last
	// Owners shows whose each site is, Measured what it uses.
	Owners, Measured bool
	Create           bool
	// Harmful is how many harmful files of each site nobody decided about.
	Harmful map[string]int64
}

// runtimeChoice is a runtime, or a version of it, that sites can be looked for by.
type runtimeChoice struct{ Value, Text string }

func (s *Server) listSites(w http.ResponseWriter, r *http.Request) error {
	q := hosting.SiteQuery{Search: r.FormValue("q"), After: r.FormValue("after"), Owner: hosting.ID(r.FormValue("owner")), Brief: true,
		SiteFilter: hosting.SiteFilter{Standing: hosting.Standing(field(r, "state")), Runtime: field(r, "runtime")}}
	found, err := s.Rules.Sites(r.Context(), actor(r.Context()), q)
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	p := siteList{frame: s.frame(r, placeSites), Search: q.Search, Owner: q.Owner, Only: q.SiteFilter, Wrong: wrong, Rows: found.Items, Total: found.Total}
	p.Title = p.T("Sites")
	p.Crumbs = []link{{Text: p.Title}}
	p.Owners = p.Actor.Role != hosting.Customer
	p.Measured = slices.ContainsFunc(p.Rows, func(s hosting.OwnedSite) bool { return s.Use != nil })
	p.Create = p.Can(hosting.RightSiteCreate, hosting.Object{Owner: p.Actor.ID})
	if p.Harmful, err = s.harmful(r, p.frame, p.Rows...); err != nil {
		return err
	}
	if found.Next != "" {
		p.Next = p.address(found.Next)
	}
	if partial(r) {
		return show(w, r, wrong.Status, p.part())
	}
	settings, err := s.Rules.Panel.Platform.Settings(r.Context())
	if err != nil {
		return err
	}
	p.Runtimes = p.runtimes(settings)
	return show(w, r, wrong.Status, p.view())
}

// Narrowed tells whether only some of the sites are asked for by how they are.
func (p siteList) Narrowed() bool { return p.Only != hosting.SiteFilter{} }

// address is that of the page of the same sites that begins after one.
func (p siteList) address(after string) string {
	values := url.Values{}
	for name, value := range map[string]string{"q": p.Search, "owner": string(p.Owner), "state": string(p.Only.Standing), "runtime": p.Only.Runtime, "after": after} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return allSites
	}
	return allSites + "?" + values.Encode()
}

// wider is the address of the same sites of any state and runtime: who typed a search, or
// looks at the sites of one account, goes on with it.
func (p siteList) wider() templ.SafeURL {
	p.Only = hosting.SiteFilter{}
	return templ.SafeURL(p.address(""))
}

// widerName says all only of what leads to all.
func (p siteList) widerName() string {
	if p.wider() == allSites {
		return p.T("Show all")
	}
	return p.T("All states and runtimes")
}

// runtimes are all of the catalogue, and what is asked for now: sites may run what is no
// longer offered.
func (p siteList) runtimes(settings *platform.Settings) []runtimeChoice {
	var all []runtimeChoice
	for _, kind := range settings.Types() {
		offer, name := settings.Runtimes[kind], hosting.RuntimeName(settings, kind)
		if kind == "static" {
			name = p.T("Static files")
		}
		all = append(all, runtimeChoice{kind, name})
		if offer.ProxyMode == platform.ProxyNone {
			continue // nothing runs, so there is one version and nobody sees it
		}
		for _, version := range offer.VersionNames() {
			all = append(all, runtimeChoice{kind + ":" + version, name + " " + version})
		}
	}
	if now := p.Only.Runtime; now != "" && p.Wrong.Of("runtime") == "" && !slices.ContainsFunc(all, func(c runtimeChoice) bool { return c.Value == now }) {
		all = append(all, runtimeChoice{now, now})
	}
	return all
}

// line is the command that lists the same.
func (p siteList) line() string {
	words := "kubepanel site list"
	if p.Only.Standing != "" && p.Wrong.Of("state") == "" {
		words += " --state " + string(p.Only.Standing)
	}
	if p.Only.Runtime != "" && p.Wrong.Of("runtime") == "" {
		words += " --runtime " + p.Only.Runtime
	}
	return words
}
