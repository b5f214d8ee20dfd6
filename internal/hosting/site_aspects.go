package hosting

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// SiteAspects are what a site is beside what it runs; nil leaves as it is. Where a
// fault is named by a path of the spec, the API server's rules judge the rest of it.
type SiteAspects struct {
	Title *string
	// Aliases are all further names of the site, and AuthorizedKeys all public keys of
	// its SFTP, a text each; empty ones are left out.
	Aliases, AuthorizedKeys *[]string
	TimeZone                *string
	CPU, Memory             *string
	DocumentRoot            *string
	UploadSize              *string // such as 64m
	WWWRedirect             *string
	// Env are variables of the program to change, each NAME=VALUE, or NAME= for none.
	Env []string
	// RuntimeConfig and WebserverConfig are added to the configuration of PHP or
	// Python and of nginx, which test it before they take it over.
	RuntimeConfig, WebserverConfig *string
	// Command and Args start the program in place of what the image begins with, a word
	// each; empty ones are left out.
	Command, Args *[]string
	// Port is what the program listens on, and ProxyMode how nginx talks to it, http or
	// uwsgi; "" is the catalogue's. PHP and static files have neither to choose.
	Port, ProxyMode *string
	// Image replaces the catalogue's, and PreferredNodes are where the site runs when it
	// can. Only the provider gives either, see Places.
	Image          *string
	PreferredNodes *[]string
	// Shell gives git and a shell beside SFTP.
	Shell, Redis, Cache *bool
}

// apply writes what is asked for into a spec and collects what is wrong with it.
func (a SiteAspects) apply(d *v1alpha1.Domain, f *faults) {
	s := &d.Spec
	set := func(field *string, to *string) {
		if to != nil {
			*field = strings.TrimSpace(*to)
		}
	}
	set(&s.Title, a.Title)
	set(&s.Timezone, a.TimeZone)
	set(&s.Webserver.DocumentRoot, a.DocumentRoot)
	set(&s.Webserver.ClientMaxBodySize, a.UploadSize)
	set((*string)(&s.Webserver.WWWRedirect), a.WWWRedirect)
	f.check("spec.workload.customConfig", text(&s.Workload.CustomConfig, a.RuntimeConfig))
	f.check("spec.webserver.customConfig", text(&s.Webserver.CustomConfig, a.WebserverConfig))
	if a.Title != nil {
		(NewSite{Title: s.Title}).checkTitle(f)
	}
	a.resources(s, f)
	a.names(s, f)
	a.program(s, f)
	if a.AuthorizedKeys != nil {
		s.SFTP.AuthorizedKeys = compact(*a.AuthorizedKeys)
	}
	if a.Shell != nil {
		s.SFTP.Type = map[bool]v1alpha1.SFTPType{true: v1alpha1.SFTPGit, false: v1alpha1.SFTPStandard}[*a.Shell]
	}
	if len(a.Env) > 0 { // after the shell, which may be what they are for
		f.check("env", setVariables(s, a.Env))
	}
	if a.Redis != nil {
		s.Redis.Enabled = *a.Redis
	}
	if a.Cache != nil {
		s.Webserver.Cache.Enabled = *a.Cache
	}
}

// text takes a configuration as a browser's form sends it.
func text(field *string, to *string) error {
	if to == nil {
		return nil
	}
	if !sendable(*to) {
		return errors.New("the configuration has a NUL or is no UTF-8; no program can be given that")
	}
	*field = strings.TrimRight(strings.ReplaceAll(*to, "\r\n", "\n"), "\n")
	return nil
}

func (a SiteAspects) resources(s *v1alpha1.DomainSpec, f *faults) {
	if a.CPU != nil {
		if m, err := ParseCPU(*a.CPU); f.check("cpu", err) {
			s.Resources.Limits.CPU = fmt.Sprintf("%dm", m)
			s.Resources.Requests.CPU = fmt.Sprintf("%dm", min(m, requestCPUm))
		}
	}
	if a.Memory != nil {
		if mi, err := ParseMemory(*a.Memory); f.check("memory", err) {
			s.Resources.Limits.Memory = fmt.Sprintf("%dMi", mi)
			s.Resources.Requests.Memory = fmt.Sprintf("%dMi", min(mi, requestMemoryMi))
		}
	}
}

// names replaces the aliases; what is known of one that stays, stays.
func (a SiteAspects) names(s *v1alpha1.DomainSpec, f *faults) {
	if a.Aliases == nil {
		return
	}
	wanted := compact(*a.Aliases)
	checkAliases(wanted, s.Aliases, s.DomainName, f)
	var list []v1alpha1.DomainAlias
	for _, input := range wanted {
		name, err := ParseName(input)
		if err != nil {
			continue // told by checkAliases
		}
		alias := v1alpha1.DomainAlias{Name: name}
		if i := slices.IndexFunc(s.Aliases, func(had v1alpha1.DomainAlias) bool { return had.Name == name }); i >= 0 {
			alias = s.Aliases[i]
		}
		list = append(list, alias)
	}
	s.Aliases = list
}

// compact leaves out what is empty.
func compact(texts []string) []string {
	var kept []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			kept = append(kept, t)
		}
	}
	return kept
}
