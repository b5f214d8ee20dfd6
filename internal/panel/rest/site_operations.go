package rest

import (
	"context"
	"net/http"
	"strconv"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) sites() {
	handle(s, operation{method: http.MethodGet, path: "/sites", id: "listSites", summary: "List sites", scope: hosting.RightSiteView}, s.listSites)
	handle(s, operation{method: http.MethodPost, path: "/sites", id: "createSite", summary: "Make a site", scope: hosting.RightSiteCreate, status: http.StatusCreated,
		says: "The answer comes before the site is live: follow its progress. With dryRun nothing is made."}, s.createSite)
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}", id: "getSite", summary: "Show a site", scope: hosting.RightSiteView}, s.getSite)
	handle(s, operation{method: http.MethodPatch, path: "/sites/{site}", id: "changeSite", summary: "Change a site", scope: hosting.RightSiteChange,
		says: "What is left out stays as it is."}, s.changeSite)
	handle(s, operation{method: http.MethodDelete, path: "/sites/{site}", id: "deleteSite", summary: "Delete a site with everything in it",
		scope: hosting.RightSiteDelete, status: http.StatusAccepted}, s.deleteSite)
}

type siteQuery struct {
	Paging
	Search  string           `query:"q" maxLength:"253" doc:"A part of the name."`
	Owner   hosting.ID       `query:"owner" maxLength:"64" doc:"Only this account's."`
	State   hosting.Standing `query:"state" enum:"creating,live,changing,degraded,stalled,suspended,deleting" doc:"Only those in this state. With it or runtime nobody counts: total is missing."`
	Runtime string           `query:"runtime" maxLength:"200" doc:"Only those of this runtime, as TYPE or TYPE:VERSION." example:"php:8.4"`
}

func (s *Server) listSites(ctx context.Context, a hosting.Actor, in *siteQuery) (*answer[List[Site]], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	q := hosting.SiteQuery{Search: in.Search, Owner: in.Owner, After: after, Limit: in.Limit, SiteFilter: hosting.SiteFilter{Standing: in.State, Runtime: in.Runtime}}
	found, err := s.Rules.Sites(ctx, a, q)
	if err != nil {
		return nil, err
	}
	l := listOf(found, siteFor(a))
	if q.SiteFilter != (hosting.SiteFilter{}) {
		l.Total = nil // nobody counted
	}
	return &answer[List[Site]]{l}, nil
}

// SitePath is an operation on one site.
type SitePath struct {
	Site string `path:"site" maxLength:"253" doc:"The domain name."`
}

func showSite(a hosting.Actor, found *hosting.OwnedSite) *versioned[Site] {
	return versionedAs(found.Version(), siteFor(a)(found))
}

func (s *Server) getSite(ctx context.Context, a hosting.Actor, in *SitePath) (*versioned[Site], error) {
	found, err := s.Rules.Site(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	return showSite(a, found), nil
}

// Trial is a change that can be tried first.
type Trial struct {
	DryRun bool `query:"dryRun" doc:"Check everything and change nothing."`
}

// NewSite asks for a site.
type NewSite struct {
	Name      string        `json:"name" maxLength:"253" doc:"The domain name, in any script." example:"shop.example"`
	Owner     hosting.ID    `json:"owner,omitempty" maxLength:"64" doc:"Whose it is to be; yours when left out."`
	Title     string        `json:"title,omitempty" maxLength:"1000"`
	Aliases   []string      `json:"aliases,omitempty" maxItems:"1000" doc:"Further names that lead to it."`
	Runtime   string        `json:"runtime,omitempty" maxLength:"200" doc:"TYPE or TYPE:VERSION of the catalogue; php when left out." example:"python:3.13"`
	Settings  []string      `json:"settings,omitempty" maxItems:"1000" doc:"Settings of the runtime, each KEY=VALUE."`
	Env       []string      `json:"env,omitempty" maxItems:"1000" doc:"Variables of the program, each NAME=VALUE. Their values are shown to nobody."`
	Storage   string        `json:"storage,omitempty" maxLength:"100" default:"5Gi"`
	CPU       string        `json:"cpu,omitempty" maxLength:"100" default:"1000m"`
	Memory    string        `json:"memory,omitempty" maxLength:"100" default:"512Mi"`
	Redis     bool          `json:"redis,omitempty"`
	Database  *bool         `json:"database,omitempty" doc:"Make a database; true when left out."`
	WordPress *NewWordPress `json:"wordpress,omitempty" doc:"Install WordPress."`
}

// NewWordPress says how WordPress is installed.
type NewWordPress struct {
	AdminUser  string `json:"adminUser,omitempty" maxLength:"200"`
	AdminEmail string `json:"adminEmail,omitempty" maxLength:"300"`
	Locale     string `json:"locale,omitempty" maxLength:"100" example:"de_DE"`
}

func (n NewSite) request() hosting.NewSite {
	r := hosting.NewSite{
		Name: n.Name, Title: n.Title, Aliases: n.Aliases, Runtime: n.Runtime, Settings: n.Settings, Env: n.Env,
		Storage: n.Storage, CPU: n.CPU, Memory: n.Memory, Redis: n.Redis, NoDatabase: n.Database != nil && !*n.Database,
	}
	if w := n.WordPress; w != nil {
		r.WordPress = &hosting.NewWordPress{AdminUser: w.AdminUser, AdminEmail: w.AdminEmail, Locale: w.Locale}
	}
	return r
}

func (s *Server) createSite(ctx context.Context, a hosting.Actor, in *struct {
	Trial
	Body NewSite
}) (*versioned[Site], error) {
	made, err := s.rules(ctx).CreateSite(ctx, a, in.Body.Owner, in.Body.request(), in.DryRun)
	if err != nil {
		return nil, err
	}
	r := showSite(a, made)
	if in.DryRun {
		return r, nil
	}
	if read, err := s.Rules.Site(ctx, a, made.Name); err == nil { // as it will be read, where that may be
		r = showSite(a, read)
	}
	r.Location = Prefix + "/sites/" + made.Name
	return r, nil
}

// SiteChange says what is to be another way.
type SiteChange struct {
	Suspended       *bool     `json:"suspended,omitempty"`
	Title           *string   `json:"title,omitempty" maxLength:"1000"`
	Aliases         *[]string `json:"aliases,omitempty" maxItems:"1000" doc:"All further names."`
	Runtime         *string   `json:"runtime,omitempty" maxLength:"200" doc:"Another version of its runtime, as TYPE:VERSION."`
	Settings        []string  `json:"settings,omitempty" maxItems:"1000" doc:"Settings to change, each KEY=VALUE, or KEY= for the default."`
	Env             []string  `json:"env,omitempty" maxItems:"1000" doc:"Variables of the program to change, each NAME=VALUE, or NAME= to take it away."`
	Command         *[]string `json:"command,omitempty" maxItems:"1000" doc:"What starts the program in place of the image's own beginning, a word each; none for the image's."`
	Args            *[]string `json:"args,omitempty" maxItems:"1000" doc:"Arguments of the program in place of the image's, a word each."`
	Port            *int32    `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"Where its program listens, for nginx to reach it; 0 for the catalogue's port. Not for PHP and static files."`
	ProxyMode       *string   `json:"proxyMode,omitempty" maxLength:"100" doc:"How nginx talks to its program, http or uwsgi; \"\" for the catalogue's way."`
	Image           *string   `json:"image,omitempty" maxLength:"1000" doc:"Replaces the catalogue's image, and \"\" gives that back. The provider's alone; another version ends it." example:"registry.example/php:8.4"`
	PreferredNodes  *[]string `json:"preferredNodes,omitempty" maxItems:"1000" doc:"All nodes that it runs on when it can. The provider's alone."`
	Storage         *string   `json:"storage,omitempty" maxLength:"100"`
	CPU             *string   `json:"cpu,omitempty" maxLength:"100"`
	Memory          *string   `json:"memory,omitempty" maxLength:"100"`
	TimeZone        *string   `json:"timeZone,omitempty" maxLength:"100"`
	DocumentRoot    *string   `json:"documentRoot,omitempty" maxLength:"1000"`
	UploadSize      *string   `json:"uploadSize,omitempty" maxLength:"100"`
	WWWRedirect     *string   `json:"wwwRedirect,omitempty" maxLength:"100"`
	RuntimeConfig   *string   `json:"runtimeConfig,omitempty" maxLength:"20000"`
	WebserverConfig *string   `json:"webserverConfig,omitempty" maxLength:"20000"`
	AuthorizedKeys  *[]string `json:"authorizedKeys,omitempty" maxItems:"1000"`
	Shell           *bool     `json:"shell,omitempty"`
	Redis           *bool     `json:"redis,omitempty"`
	Cache           *bool     `json:"cache,omitempty"`
}

func (c SiteChange) request() hosting.SiteChange {
	return hosting.SiteChange{
		Runtime: c.Runtime, Settings: c.Settings, Storage: c.Storage, Suspended: c.Suspended,
		SiteAspects: hosting.SiteAspects{
			Title: c.Title, Aliases: c.Aliases, AuthorizedKeys: c.AuthorizedKeys, Env: c.Env, TimeZone: c.TimeZone, CPU: c.CPU, Memory: c.Memory,
			Command: c.Command, Args: c.Args, Port: portText(c.Port), ProxyMode: c.ProxyMode, Image: c.Image, PreferredNodes: c.PreferredNodes, DocumentRoot: c.DocumentRoot, UploadSize: c.UploadSize, WWWRedirect: c.WWWRedirect,
			RuntimeConfig: c.RuntimeConfig, WebserverConfig: c.WebserverConfig, Shell: c.Shell, Redis: c.Redis, Cache: c.Cache,
		},
	}
}

// portText is a port as rules read it; 0 is the catalogue's.
func portText(port *int32) *string {
	switch {
	case port == nil:
		return nil
	case *port == 0:
		return new("")
	}
	return new(strconv.Itoa(int(*port)))
}

func (s *Server) changeSite(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Trial
	Condition
	Body SiteChange
}) (*versioned[Site], error) {
	changed, _, err := s.Rules.If(in.version()).ChangeSite(ctx, a, in.Site, in.Body.request(), in.DryRun)
	if err != nil {
		return nil, err
	}
	return showSite(a, changed), nil
}

func (s *Server) deleteSite(ctx context.Context, a hosting.Actor, in *struct {
	SitePath
	Condition
}) (*answer[Progress], error) {
	if err := s.Rules.If(in.version()).DeleteSite(ctx, a, in.Site); err != nil {
		return nil, err
	}
	found, err := s.Rules.Site(ctx, a, in.Site)
	if err != nil && hosting.CodeOf(err) != hosting.NotFound && hosting.CodeOf(err) != hosting.Forbidden {
		return nil, err
	}
	if err != nil { // gone already, or the token may not look
		return &answer[Progress]{Progress{Site: in.Site, Kind: KindDelete, State: ProgressDone, Steps: []Step{}}}, nil
	}
	return &answer[Progress]{progressOf(found)}, nil
}
