package rest

import (
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// Site is a site as programs see it.
type Site struct {
	Name        string           `json:"name" doc:"The domain name, as DNS has it."`
	DisplayName string           `json:"displayName" doc:"The name in its own script."`
	Owner       hosting.ID       `json:"owner" doc:"The account that it belongs to."`
	OwnerName   string           `json:"ownerName"`
	State       hosting.Standing `json:"state"`
	Message     string           `json:"message,omitempty" doc:"What the state is about, in a sentence."`
	URL         string           `json:"url,omitempty" doc:"Where visitors find it, once that is known."`
	Held        bool             `json:"held" doc:"It is suspended because its owner's account is."`
	CreatedAt   time.Time        `json:"createdAt"`

	SiteSettings

	WordPress bool            `json:"wordpress" doc:"The platform installed WordPress in it."`
	Database  bool            `json:"database" doc:"It has a database."`
	Used      string          `json:"used,omitempty" doc:"How much of the storage is used, as 1700Mi." example:"1700Mi"`
	SFTP      *SiteSFTP       `json:"sftp,omitempty"`
	Amounts   hosting.Amounts `json:"amounts" doc:"What counts against the owner's package."`
}

// SiteSettings are what a change can change.
type SiteSettings struct {
	Suspended       bool              `json:"suspended" doc:"Visitors see a page that says so; nothing is lost."`
	Title           string            `json:"title"`
	Aliases         []string          `json:"aliases" doc:"Further names that lead to it."`
	Runtime         string            `json:"runtime" doc:"What runs it, as TYPE:VERSION." example:"php:8.4"`
	Settings        map[string]string `json:"settings" doc:"Settings of the runtime that differ from its defaults."`
	Variables       []string          `json:"variables" doc:"Names of the variables of its program. Their values are shown to nobody."`
	Command         []string          `json:"command" doc:"What starts the program in place of the image's own beginning, a word each."`
	Args            []string          `json:"args" doc:"Arguments of the program in place of the image's."`
	Port            int32             `json:"port,omitempty" doc:"Where its program listens, for nginx to reach it. PHP and static files have none."`
	ProxyMode       string            `json:"proxyMode,omitempty" doc:"How nginx talks to its program; fastcgi is the catalogue's own way." enum:"fastcgi,http,uwsgi"`
	Image           string            `json:"image,omitempty" doc:"Replaces the catalogue's image. Shown to the provider."`
	PreferredNodes  []string          `json:"preferredNodes,omitempty" doc:"Nodes that it runs on when it can. Shown to the provider."`
	Storage         string            `json:"storage" example:"5Gi"`
	CPU             string            `json:"cpu" example:"1000m"`
	Memory          string            `json:"memory" example:"512Mi"`
	TimeZone        string            `json:"timeZone,omitempty" example:"Europe/Berlin"`
	DocumentRoot    string            `json:"documentRoot,omitempty"`
	UploadSize      string            `json:"uploadSize,omitempty" example:"64m"`
	WWWRedirect     string            `json:"wwwRedirect,omitempty"`
	RuntimeConfig   string            `json:"runtimeConfig,omitempty" doc:"Added to the runtime's configuration."`
	WebserverConfig string            `json:"webserverConfig,omitempty" doc:"Added to nginx' configuration."`
	AuthorizedKeys  []string          `json:"authorizedKeys" doc:"Public keys for SFTP."`
	Shell           bool              `json:"shell" doc:"SFTP's account has git and a shell."`
	Redis           bool              `json:"redis"`
	Cache           bool              `json:"cache" doc:"nginx keeps answers."`
}

// SiteSFTP is the way to a site's files.
type SiteSFTP struct {
	Host     string `json:"host"`
	Port     int32  `json:"port"`
	Username string `json:"username"`
}

// siteFor represents sites for who may see them.
func siteFor(a hosting.Actor) func(*hosting.OwnedSite) Site {
	return func(s *hosting.OwnedSite) Site {
		r := siteOf(s)
		if s.Domain != nil && hosting.Places(a) {
			r.Image, r.PreferredNodes = s.Domain.Spec.Workload.Image, s.Domain.Spec.PreferredNodes
		}
		return r
	}
}

// siteOf represents a site for everybody who may see it.
func siteOf(s *hosting.OwnedSite) Site {
	r := Site{Name: s.Name, DisplayName: hosting.ShowName(s.Name), Owner: s.Owner, OwnerName: s.OwnerName, State: hosting.StandingOf(s),
		Held: s.Held, CreatedAt: s.CreatedAt, Amounts: s.Amounts}
	if r.Amounts == nil {
		r.Amounts = hosting.Amounts{}
	}
	d := s.Domain
	if d == nil {
		r.SiteSettings = SiteSettings{Aliases: []string{}, Settings: map[string]string{}, Variables: []string{}, Command: []string{}, Args: []string{}, AuthorizedKeys: []string{}}
		return r
	}
	r.SiteSettings = settingsOf(&d.Spec)
	r.WordPress = d.Spec.WordPress.Preinstall
	r.Database = d.Spec.Database.Enabled == nil || *d.Spec.Database.Enabled
	if r.State != hosting.StandingLive {
		r.Message = d.Status.Message
	}
	if e := d.Status.Endpoints; e != nil {
		r.URL = e.HTTPS
		if r.URL == "" {
			r.URL = e.HTTP
		}
	}
	if f := d.Status.SFTP; f != nil {
		r.SFTP = &SiteSFTP{Host: f.Host, Port: f.Port, Username: f.Username}
	}
	if f := d.Status.Storage; f != nil {
		r.Used = f.Used
	}
	return r
}

func settingsOf(s *v1alpha1.DomainSpec) SiteSettings {
	r := SiteSettings{
		Suspended: s.Suspended, Title: s.Title, Runtime: s.Workload.Type, Aliases: make([]string, 0, len(s.Aliases)), Settings: map[string]string{}, Variables: hosting.Variables(&s.Workload),
		Storage: s.Resources.Storage, CPU: s.Resources.Limits.CPU, Memory: s.Resources.Limits.Memory,
		TimeZone: s.Timezone, DocumentRoot: s.Webserver.DocumentRoot, UploadSize: s.Webserver.ClientMaxBodySize, WWWRedirect: string(s.Webserver.WWWRedirect),
		Command: append([]string{}, s.Workload.Command...), Args: append([]string{}, s.Workload.Args...),
		RuntimeConfig: s.Workload.CustomConfig, WebserverConfig: s.Webserver.CustomConfig,
		AuthorizedKeys: append([]string{}, s.SFTP.AuthorizedKeys...), Shell: s.SFTP.Type == v1alpha1.SFTPGit,
		Redis: s.Redis.Enabled, Cache: s.Webserver.Cache.Enabled,
	}
	if kind := s.Workload.Type; kind != v1alpha1.WorkloadTypePHP && kind != "static" {
		r.Port, r.ProxyMode = s.Workload.Port, string(s.Workload.ProxyMode)
	}
	if s.Workload.Version != "" {
		r.Runtime += ":" + s.Workload.Version
	}
	for _, a := range s.Aliases {
		r.Aliases = append(r.Aliases, a.Name)
	}
	for key, value := range s.Workload.Settings {
		r.Settings[key] = string(value)
	}
	return r
}
