package web

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/streams"
)

// siteLogs is the page of a site's logs.
type siteLogs struct {
	sitePage

	Query hosting.LogQuery
	// From and To are as they were typed, in the site's time zone.
	From, To string
	Zone     *time.Location
	Log      hosting.Log
	Wrong    faults
}

// siteLogs reads what is asked for; nothing of the log yet.
func (s *Server) siteLogs(r *http.Request) (siteLogs, error) {
	page, err := s.site(r, "/logs")
	if err != nil {
		return siteLogs{}, err
	}
	p := siteLogs{sitePage: page, Zone: zoneOf(page.Domain.Spec.Timezone), From: r.FormValue("from"), To: r.FormValue("to")}
	p.Query = hosting.LogQuery{
		Source: hosting.LogSource(r.FormValue("source")), Previous: r.FormValue("previous") != "",
		Search: r.FormValue("q"), Pattern: r.FormValue("pattern") != "",
	}
	if p.Query.Source == "" {
		p.Query.Source = hosting.LogSources(page.Domain)[0]
	}
	p.Wrong.fields = map[string]string{}
	p.Query.From = p.Wrong.moment(p.frame, "from", p.From, p.Zone)
	if p.Query.To = p.Wrong.moment(p.frame, "to", p.To, p.Zone); !p.Query.To.IsZero() {
		p.Query.To = p.Query.To.Add(time.Minute - 1) // the minute that was named is meant as a whole
	}
	return p, nil
}

// zoneOf is the time zone with a name; UTC where there is none.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || zone == time.Local { // that one is the panel's, and nobody's who reads
		return time.UTC
	}
	return zone
}

func (s *Server) showLogs(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteLogs(r)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if p.Wrong.any() {
		return show(w, r, http.StatusUnprocessableEntity, p.view())
	}
	found, err := s.Rules.Log(r.Context(), p.Actor, p.Row.Name, p.Query)
	if err == nil {
		p.Log = *found
	} else if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	} else if p.Wrong.Status != http.StatusConflict { // that there is no log yet is an answer too
		status = p.Wrong.Status
	}
	return show(w, r, status, p.view())
}

// downloadLog sends all that is asked for as a file, while it is read.
func (s *Server) downloadLog(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteLogs(r)
	if err != nil {
		return err
	}
	if p.Wrong.any() {
		return show(w, r, http.StatusUnprocessableEntity, p.view())
	}
	ctx, done := s.while(r, hosting.RightSiteLogs)
	defer done()
	out := bufio.NewWriter(w)
	began := false
	err = s.Rules.DownloadLog(ctx, p.Actor, p.Row.Name, p.Query, func(l hosting.LogLine) error {
		if !began {
			p.asFile(w)
			began = true
		}
		_, err := fmt.Fprintf(out, "%s %s\n", l.At.In(p.Zone).Format(time.RFC3339Nano), l.Text)
		return err
	})
	if !began && err != nil {
		return streams.Why(ctx, err)
	}
	if !began {
		p.asFile(w)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // so that the browser knows that the file is not whole
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("send a log: %w", err)
	}
	return nil
}

func (p siteLogs) asFile(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", p.Row.Name+"-"+string(p.Query.Source)+".log"))
}

// address is that of a page about the same lines.
func (p siteLogs) address(page string, source hosting.LogSource) string {
	q := url.Values{"source": {string(source)}}
	for name, value := range map[string]string{"q": p.Query.Search, "pattern": on(p.Query.Pattern), "previous": on(p.Query.Previous), "from": p.From, "to": p.To} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return siteURL(p.Row.Name) + page + "?" + q.Encode()
}

func on(b bool) string {
	if b {
		return "on"
	}
	return ""
}

// follow is the address of what is written from now on: behind the last line shown.
func (p siteLogs) follow() string {
	after := p.now
	if n := len(p.Log.Lines); n > 0 {
		after = p.Log.Lines[n-1].At
	}
	return p.address("/logs/follow", p.Query.Source) + "&after=" + url.QueryEscape(after.UTC().Format(time.RFC3339Nano))
}

func (p siteLogs) sourceName(s hosting.LogSource) string {
	switch s {
	case hosting.LogAccess:
		return p.T("Requests")
	case hosting.LogError:
		return p.T("Web server's errors")
	case hosting.LogApp:
	}
	return p.T("Application")
}

func (p siteLogs) levelName(l hosting.LogLevel) string {
	switch l {
	case hosting.LevelError:
		return p.T("Error")
	case hosting.LevelWarn:
		return p.T("Warning")
	case hosting.LevelInfo:
		return p.T("Info")
	case hosting.LevelDebug:
		return p.T("Debug")
	case hosting.LevelNone:
	}
	return ""
}

// container is what kubectl calls the source.
func (p siteLogs) container() string {
	if p.Query.Source == hosting.LogApp {
		return "app"
	}
	return "nginx"
}

// command is the same by kubectl.
func (p siteLogs) command() string {
	line := fmt.Sprintf("kubectl logs --namespace %s --selector app.kubernetes.io/component=site --container %s --tail 300", p.Domain.Status.Namespace, p.container())
	if p.Query.Previous {
		return line + " --previous"
	}
	return line + " --follow"
}
