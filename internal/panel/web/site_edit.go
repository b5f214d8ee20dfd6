package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// siteEdit is a tab on which a site is changed. All tabs send to one address, which
// changes what it was sent and nothing else.
type siteEdit struct {
	sitePage

	// Tab is domains, settings or access.
	Tab string
	// Form is what stands in the fields: the site's own, or what was typed.
	Form  siteFields
	Wrong faults
	// Versions of the site's runtime that there are.
	Versions []string
	// Places: who looks gives sites images and nodes.
	Places bool
	// Reached: nginx reaches the program by a port, where Offer has the catalogue's.
	Reached bool
	Offer   platform.Runtime
	// Plan tells what the change would do, when that was asked for.
	Plan *hosting.Plan
}

// siteFields are the fields of all tabs as texts, by the names of the form.
type siteFields map[string]string

// fieldsOf are a site's own.
func fieldsOf(d *v1alpha1.Domain) siteFields {
	s := &d.Spec
	aliases := make([]string, len(s.Aliases))
	for i, a := range s.Aliases {
		aliases[i] = hosting.ShowName(a.Name)
	}
	settings := make([]string, 0, len(s.Workload.Settings))
	for _, key := range slices.Sorted(maps.Keys(s.Workload.Settings)) {
		settings = append(settings, key+"="+string(s.Workload.Settings[key]))
	}
	return siteFields{
		"title": s.Title, "alias": strings.Join(aliases, "\n"), "spec.webserver.wwwRedirect": string(s.Webserver.WWWRedirect),
		"version": s.Workload.Version, "setting": strings.Join(settings, "\n"), "spec.workload.customConfig": s.Workload.CustomConfig,
		"spec.webserver.documentRoot": s.Webserver.DocumentRoot, "spec.webserver.clientMaxBodySize": s.Webserver.ClientMaxBodySize,
		"spec.webserver.customConfig": s.Webserver.CustomConfig, "spec.timezone": s.Timezone,
		"storage": s.Resources.Storage, "memory": s.Resources.Limits.Memory, "cpu": s.Resources.Limits.CPU,
		"redis": onOff(s.Redis.Enabled), "cache": onOff(s.Webserver.Cache.Enabled),
		"env":     "", // what is there is shown to nobody
		"command": strings.Join(s.Workload.Command, "\n"), "args": strings.Join(s.Workload.Args, "\n"),
		"spec.sftp.authorizedKeys": strings.Join(s.SFTP.AuthorizedKeys, "\n"), "shell": onOff(s.SFTP.Type == v1alpha1.SFTPGit),
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (s *Server) siteDomains(w http.ResponseWriter, r *http.Request) error {
	return s.showEdit(w, r, "domains")
}

func (s *Server) siteSettings(w http.ResponseWriter, r *http.Request) error {
	return s.showEdit(w, r, "settings")
}

func (s *Server) siteAccess(w http.ResponseWriter, r *http.Request) error {
	return s.showEdit(w, r, "access")
}

func (s *Server) showEdit(w http.ResponseWriter, r *http.Request, tab string) error {
	p, err := s.siteEdit(r, tab)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

func (s *Server) siteEdit(r *http.Request, tab string) (siteEdit, error) {
	page, err := s.site(r, "/"+tab)
	if err != nil {
		return siteEdit{}, err
	}
	p := siteEdit{sitePage: page, Tab: tab, Form: fieldsOf(page.Domain)}
	settings, err := s.Rules.Panel.Platform.Settings(r.Context())
	if err != nil {
		return p, err
	}
	p.Versions = hosting.Versions(settings, page.Domain.Spec.Workload.Type)
	w := &page.Domain.Spec.Workload
	if p.Offer, p.Reached = settings.Runtimes[w.Type], hosting.Reached(settings, w.Type); p.Reached {
		port, mode := hosting.OwnReach(settings, w)
		p.Form["port"], p.Form["proxy-mode"] = "", string(mode)
		if port != 0 {
			p.Form["port"] = itoa(int(port))
		}
	}
	if p.Places = hosting.Places(page.Actor); p.Places {
		p.Form["image"], p.Form["preferred-nodes"] = page.Domain.Spec.Workload.Image, strings.Join(page.Domain.Spec.PreferredNodes, "\n")
	}
	return p, nil
}

// changeSite changes what the form sent, or tells first what that would do.
func (s *Server) changeSite(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Rules.SiteFor(r.Context(), actor(r.Context()), hosting.RightSiteChange, r.PathValue("site")); err != nil {
		return err
	}
	tab := r.PostFormValue("tab")
	if !slices.Contains([]string{"domains", "settings", "access"}, tab) {
		return &hosting.Error{Code: hosting.Invalid, Message: fmt.Sprintf("There is no tab %q.", tab), Mend: "Go back and try again."}
	}
	p, err := s.siteEdit(r, tab)
	if err != nil {
		return err
	}
	for name := range r.PostForm {
		if _, known := p.Form[name]; known {
			p.Form[name] = r.PostForm.Get(name)
		}
	}
	change := changeOf(r, p.Domain)
	err = decided(r, "shell", "redis", "cache")
	switch {
	case err != nil:
	case r.PostForm.Has("plan"):
		p.Plan, err = s.Rules.PlanChange(r.Context(), p.Actor, p.Row.Name, change)
	default:
		if _, _, err = s.Rules.ChangeSite(r.Context(), p.Actor, p.Row.Name, change, false); err == nil {
			return seeOther(w, r, siteURL(p.Row.Name))
		}
	}
	if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, p.Wrong.Status, p.view())
}

// changeOf reads what the form sent; what it did not send stays as it is.
func changeOf(r *http.Request, d *v1alpha1.Domain) hosting.SiteChange {
	text := func(name string) *string {
		if !r.PostForm.Has(name) {
			return nil
		}
		return new(r.PostForm.Get(name))
	}
	lines := func(name string) *[]string {
		if !r.PostForm.Has(name) {
			return nil
		}
		return new(strings.Split(strings.ReplaceAll(r.PostForm.Get(name), "\r\n", "\n"), "\n"))
	}
	flag := func(name string) *bool {
		if !r.PostForm.Has(name) {
			return nil
		}
		return new(r.PostForm.Get(name) == "on")
	}
	change := hosting.SiteChange{
		Storage: text("storage"),
		SiteAspects: hosting.SiteAspects{
			Title: text("title"), Aliases: lines("alias"), WWWRedirect: text("spec.webserver.wwwRedirect"), TimeZone: text("spec.timezone"),
			CPU: text("cpu"), Memory: text("memory"), DocumentRoot: text("spec.webserver.documentRoot"), UploadSize: text("spec.webserver.clientMaxBodySize"),
			RuntimeConfig: text("spec.workload.customConfig"), WebserverConfig: text("spec.webserver.customConfig"),
			AuthorizedKeys: lines("spec.sftp.authorizedKeys"), Shell: flag("shell"), Redis: flag("redis"), Cache: flag("cache"),
		},
	}
	if version := text("version"); version != nil && *version != d.Spec.Workload.Version {
		change.Runtime = new(d.Spec.Workload.Type + ":" + *version)
	}
	if env := lines("env"); env != nil {
		change.Env = *env
	}
	// A word may have line breaks, which a browser can't send back as they were: what the
	// field shows already is no change.
	shown := fieldsOf(d)
	if words := lines("command"); words != nil && strings.Join(*words, "\n") != shown["command"] {
		change.Command = words
	}
	if words := lines("args"); words != nil && strings.Join(*words, "\n") != shown["args"] {
		change.Args = words
	}
	change.Port, change.ProxyMode = text("port"), text("proxy-mode")
	change.Image, change.PreferredNodes = text("image"), lines("preferred-nodes")
	if r.PostForm.Has("setting") {
		change.Settings = settingsOf(*lines("setting"), d)
	}
	return change
}

// settingsOf are the lines of the form, and for each setting that has none any more
// the wish to have its default.
func settingsOf(lines []string, d *v1alpha1.Domain) []string {
	var settings []string
	left := maps.Clone(d.Spec.Workload.Settings)
	for _, line := range lines {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, _, _ := strings.Cut(line, "=")
		delete(left, key)
		settings = append(settings, line)
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		settings = append(settings, key+"=")
	}
	return settings
}

// fields are the names of faults that have a place on the tab.
func (p siteEdit) fields() []string {
	domains, access := []string{"title", "alias", "spec.webserver.wwwRedirect"}, []string{"spec.sftp.authorizedKeys", "shell"}
	switch p.Tab {
	case "domains":
		return domains
	case "access":
		return access
	}
	others := slices.Concat(domains, access, []string{"version"})
	names := slices.DeleteFunc(slices.Collect(maps.Keys(p.Form)), func(name string) bool { return slices.Contains(others, name) })
	if len(p.Versions) > 1 { // there is a choice
		names = append(names, "runtime")
	}
	return names
}

// line returns a field of the form.
func (p siteEdit) line(name, label, hint string) inputField {
	return inputField{Name: strings.ReplaceAll(name, ".", "-"), Field: name, Label: label, Value: p.Form[name], Fault: p.Wrong.Of(name), Hint: hint, LTR: true, Complete: "off"}
}

// offered says which settings the site's runtime has.
func (p siteEdit) offered() string {
	if len(p.Offer.Settings) == 0 {
		return p.T("One a line, as key=value. This runtime has none so far.")
	}
	return p.T("One a line, as key=value. There are: %s.", p.List(slices.Sorted(maps.Keys(p.Offer.Settings))))
}

// reach returns the field of the port, with the catalogue's in place of a value.
func (p siteEdit) reach(name, label, hint string) inputField {
	field := p.line(name, label, hint)
	field.Holder = itoa(int(p.Offer.Port))
	return field
}

// modes are the ways to the program that may be chosen: what the catalogue's speaks, and
// any where the site runs something of its own.
func (p siteEdit) modes() []string {
	modes := []string{string(v1alpha1.ProxyHTTP), string(v1alpha1.ProxyUWSGI)}
	w := &p.Domain.Spec.Workload
	if w.Image != "" || len(w.Command)+len(w.Args) > 0 {
		return modes
	}
	return slices.DeleteFunc(modes, func(mode string) bool { return !p.Offer.Speaks(mode) && mode != p.Form["proxy-mode"] })
}

// variables says how variables are written, and which there are.
func (p siteEdit) variables() string {
	how := p.T("One a line, as NAME=value; NAME= takes it away. What is not named stays.")
	if names := hosting.Variables(&p.Domain.Spec.Workload); len(names) > 0 {
		return how + " " + p.T("There are: %s. Their values are shown to nobody.", p.List(names))
	}
	return how
}

// effectText says what a change does to the running site.
func (p siteEdit) effectText(e hosting.Effect) string {
	of := p.List(e.Of)
	switch e.Kind {
	case hosting.EffectStart:
		return p.T("The site starts.")
	case hosting.EffectRestart:
		return p.T("The pod ends and another one starts: %s.", of)
	case hosting.EffectReload:
		return p.T("Taken over while the site serves: %s.", of)
	case hosting.EffectStop:
		return p.T("The site stops.")
	case hosting.EffectGrow:
		return p.T("The volume grows while it is in use.")
	case hosting.EffectRoutes:
		return p.T("Names or redirects change: %s.", of)
	}
	return string(e.Kind)
}

// value is a field of the plan, for people.
func value(v any) string {
	if v == nil || v == "" {
		return "–"
	}
	return fmt.Sprint(v)
}
