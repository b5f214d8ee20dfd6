package web

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// place is an entry of the list at the side.
type place string

// Places.
const (
	placeNone     place = ""
	placeHome     place = "home"
	placeSites    place = "sites"
	placeUsers    place = "users"
	placePeople   place = "people"
	placePackages place = "packages"
	placePlatform place = "platform"
	placeAudit    place = "audit"
	placeAccount  place = "account"
)

// link leads to a page.
type link struct {
	Text, To, Icon string
	Current        bool
}

// frame is what stands around every page.
type frame struct {
	*locale.Locale

	Title  string
	Theme  string // light, dark, or "" for what the computer prefers
	Actor  hosting.Actor
	At     place
	Crumbs []link
	Badge  *badge
	Tabs   []link
	// Path is where the page is, for forms that come back to it.
	Path string

	server *Server
	brand  *brand
	now    time.Time
}

// badge is the state of something in one word.
type badge struct{ Text, Kind string }

// frame begins a page.
func (s *Server) frame(r *http.Request, at place) *frame {
	f := &frame{
		Locale: s.locales.Of(r), Theme: themeOf(r), Actor: actor(r.Context()),
		At: at, Path: r.URL.Path, server: s, now: s.Now(), brand: s.brand(r.Context()),
	}
	return f
}

// Brand is the provider's name.
func (f *frame) Brand() string { return orElse(f.brand.Name, f.server.Brand) }

// Asset returns the address of a static file.
func (f *frame) Asset(name string) string { return f.server.assets.URL(name) }

// Icon returns the address of an icon.
func (f *frame) Icon(name string) string { return f.server.assets.URL("icons.svg") + "#" + name }

// Languages returns all languages that there are.
func (f *frame) Languages() locale.Set { return f.server.locales }

// Places are the entries of the list at the side: at most eight, and only what the
// actor may see.
func (f *frame) Places() []link {
	all := []struct {
		at       place
		text, to string
		do       hosting.Right
	}{
		{placeHome, "Overview", "/", hosting.RightSelfView},
		{placeSites, "Sites", "/sites", ""},
		{placeUsers, "Accounts", "/users", hosting.RightPackageView},
		{placePeople, "Collaborators", collaboratorsURL(f.Actor.ID), hosting.RightCollaboratorInvite},
		{placePackages, "Packages", "/packages", hosting.RightPackageView},
		{placePlatform, "Platform", nodesURL, hosting.RightPlatformView},
		{placeAudit, "Audit", "/audit", hosting.RightAuditView},
	}
	links := make([]link, 0, len(all))
	for _, p := range all {
		if p.do == "" || hosting.Can(f.Actor, p.do, hosting.Object{Owner: f.Actor.ID}) {
			links = append(links, link{Text: f.T(p.text), To: p.to, Icon: string(p.at), Current: p.at == f.At})
		}
	}
	return links
}

// Can tells whether the actor may do something to an object.
func (f *frame) Can(do hosting.Right, on hosting.Object) bool { return hosting.Can(f.Actor, do, on) }

// customersOf is what the actor's future customers and packages are to a decision.
func (f *frame) customersOf() hosting.Object {
	if f.Actor.Role == hosting.Reseller {
		return hosting.Object{Reseller: f.Actor.ID, OwnerRole: hosting.Customer}
	}
	return hosting.Object{}
}

// Initials are two letters for the actor.
func (f *frame) Initials() string {
	var b strings.Builder
	for i, word := range strings.Fields(f.Actor.Name) {
		if i > 1 {
			break
		}
		first, _ := utf8.DecodeRuneInString(word)
		b.WriteRune(first)
	}
	return strings.ToUpper(b.String())
}

// Ago says how long ago something was, in its largest unit.
func (f *frame) Ago(at time.Time) string {
	switch d := f.now.Sub(at); {
	case at.IsZero():
		return ""
	case d < time.Minute:
		return f.T("just now")
	case d < time.Hour:
		return f.T("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return f.T("%d h ago", int(d.Hours()))
	default:
		return f.T("%d days ago", int(d.Hours()/24))
	}
}

const (
	themeCookie = "theme"
	yearSeconds = 365 * 24 * 3600
)

func themeOf(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// chooseLook remembers how somebody wants the panel to look: a theme or a language.
func (s *Server) chooseLook(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return unreadable(err)
	}
	if r.PostForm.Has("theme") {
		remember(w, themeCookie, r.PostForm.Get("theme"))
	}
	if tag := r.PostFormValue("language"); s.locales.Find(tag) != nil {
		remember(w, locale.Cookie, tag)
	}
	return seeOther(w, r, local(r.PostFormValue("next")))
}

// NextTheme is what the button for the theme leads to: light, dark, the computer's.
func (f *frame) NextTheme() string {
	switch f.Theme {
	case "":
		return "light"
	case "light":
		return "dark"
	}
	return ""
}

func remember(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: yearSeconds, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// local returns a path of ours, so that no link leads from here to somewhere else.
func local(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}
