package web

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// siteCron is the page of a site's cron jobs, or of one of them.
type siteCron struct {
	sitePage

	Jobs []hosting.CronState
	// Job is the one that the page is about; nil on the list.
	Job *hosting.CronState
	// Run is whose output is shown, with the lines of it.
	Run string
	Log hosting.Log

	Form  cronForm
	Wrong faults
	// Delete asks for the deletion of the one that the page is about.
	Delete loss
}

// cronForm is what was typed.
type cronForm struct {
	Was, Name, Schedule, TimeZone, Line, Timeout string
	Words, Suspended                             bool
}

func cronFields() []string {
	return []string{"name", "schedule", "timezone", "line", "words", "timeout", "suspended"}
}

func (s *Server) siteCron(r *http.Request) (siteCron, error) {
	page, err := s.site(r, "/cron")
	if err != nil {
		return siteCron{}, err
	}
	p := siteCron{sitePage: page, Form: cronForm{Timeout: "60"}}
	if p.Jobs, err = s.Rules.CronJobs(r.Context(), p.Actor, p.Row.Name); err != nil {
		return p, err
	}
	name := cmp.Or(r.PathValue("job"), r.PostFormValue("was"))
	if name == "" {
		return p, nil
	}
	for i := range p.Jobs {
		if p.Jobs[i].Name == name {
			p.Job, p.Form = &p.Jobs[i], formOfCron(p.Jobs[i].CronJob)
		}
	}
	if p.Job == nil {
		return p, &hosting.Error{Code: hosting.NotFound, Message: fmt.Sprintf("The site has no cron job %q.", name)}
	}
	p.Crumbs = append(p.Crumbs[:len(p.Crumbs)-1], link{Text: p.Title, To: siteURL(p.Row.Name)}, link{Text: p.T("Cron jobs"), To: siteURL(p.Row.Name) + "/cron"}, link{Text: name})
	p.Delete = loss{
		ID: "delete", To: p.jobURL(name) + "/delete", Title: p.T("Delete this cron job"), Button: p.T("Delete %s", name), Name: name, LTR: true,
		Tells: []string{p.T("Its command, its schedule and what its runs wrote are gone then, and nothing brings them back. A run that is under way ends.")},
	}
	return p, nil
}

func formOfCron(j v1alpha1.CronJob) cronForm {
	f := cronForm{Was: j.Name, Name: j.Name, Schedule: j.Schedule, TimeZone: j.Timezone, Line: j.Shell, Suspended: j.Suspended,
		Timeout: strconv.FormatFloat(float64(j.TimeoutSeconds)/60, 'f', -1, 64)}
	if len(j.Command) > 0 {
		f.Words, f.Line = true, strings.Join(j.Command, "\n")
	}
	return f
}

func (s *Server) showCron(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteCron(r)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// setCron makes or changes a cron job.
func (s *Server) setCron(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteCron(r)
	if err != nil {
		return err
	}
	p.Form = cronForm{Was: r.PostFormValue("was"), Name: r.PostFormValue("name"), Schedule: r.PostFormValue("schedule"), TimeZone: r.PostFormValue("timezone"),
		Line: r.PostFormValue("line"), Timeout: r.PostFormValue("timeout"), Words: r.PostFormValue("words") == "on", Suspended: r.PostFormValue("suspended") == "on"}
	wish := hosting.CronWish{Name: p.Form.Name, Schedule: p.Form.Schedule, TimeZone: p.Form.TimeZone, Line: p.Form.Line, Words: p.Form.Words,
		Suspended: p.Form.Suspended, Timeout: minutes(p.Form.Timeout)}
	if err = decided(r, "words", "suspended"); err == nil {
		err = s.Rules.SetCronJob(r.Context(), p.Actor, p.Row.Name, p.Form.Was, wish)
	}
	if err == nil {
		return seeOther(w, r, siteURL(p.Row.Name)+"/cron")
	}
	if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, p.Wrong.Status, p.view())
}

// minutes reads a length of time; what is none is less than nothing, which no rule
// takes.
func minutes(text string) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || n <= 0 || n > 1e6 {
		return -1
	}
	return time.Duration(n * float64(time.Minute))
}

func (s *Server) runCron(w http.ResponseWriter, r *http.Request) error {
	if err := s.Rules.RunCronJob(r.Context(), actor(r.Context()), r.PathValue("site"), r.PathValue("job")); err != nil {
		return err
	}
	return seeOther(w, r, siteURL(r.PathValue("site"))+"/cron/"+r.PathValue("job"))
}

func (s *Server) deleteCron(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteCron(r)
	if err != nil {
		return err
	}
	if !p.Delete.meant(p.frame, r) {
		return show(w, r, p.Delete.Wrong.Status, p.view())
	}
	if err := s.Rules.DeleteCronJob(r.Context(), p.Actor, p.Row.Name, p.Job.Name); err != nil {
		return err
	}
	return seeOther(w, r, siteURL(r.PathValue("site"))+"/cron")
}

// cronOutput shows what a run wrote.
func (s *Server) cronOutput(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteCron(r)
	if err != nil {
		return err
	}
	p.Run = r.PathValue("run")
	found, err := s.Rules.CronOutput(r.Context(), p.Actor, p.Row.Name, p.Job.Name, p.Run)
	if err == nil {
		p.Log = *found
	} else if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// line returns a field of the form.
func (p siteCron) line(name, label, hint, value string) inputField {
	return inputField{Name: name, Field: name, Label: label, Value: value, Fault: p.Wrong.Of(name), Hint: hint, LTR: true, Complete: "off"}
}

func (p siteCron) jobURL(name string) string { return siteURL(p.Row.Name) + "/cron/" + name }

// runBadge is how a run ended.
func (p siteCron) runBadge(r hosting.CronRun) badge {
	switch r.State {
	case hosting.RunSucceeded:
		return badge{p.T("Succeeded"), "good"}
	case hosting.RunFailed:
		return badge{p.T("Failed"), "bad"}
	case hosting.RunTooLong:
		return badge{p.T("Took too long"), "bad"}
	case hosting.RunGoing:
		return badge{p.T("Running"), "busy"}
	case hosting.RunWaiting:
	}
	return badge{p.T("Waits for room"), "busy"}
}

// moving tells whether a run goes on, so that the page looks again.
func (p siteCron) moving() bool {
	for _, j := range p.Jobs {
		if last := j.Last(); last != nil && last.Ended.IsZero() {
			return true
		}
	}
	asked := p.Domain.Annotations[v1alpha1.AnnotationRunCron]
	return asked != "" && asked != p.Domain.Status.CronRun
}

func (p siteCron) took(r hosting.CronRun) string {
	if r.Ended.IsZero() {
		return took(r.Began, p.now)
	}
	return took(r.Began, r.Ended)
}

// at writes a time in a job's zone.
func (p siteCron) at(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// polling makes the browser look again while a run goes on.
func (p siteCron) polling() templ.Attributes {
	if !p.moving() || p.Run != "" {
		return nil
	}
	at := siteURL(p.Row.Name) + "/cron"
	if p.Job != nil {
		at = p.jobURL(p.Job.Name)
	}
	return templ.Attributes{"hx-get": at, "hx-trigger": "every 2s", "hx-select": "#jobs", "hx-swap": "outerHTML"}
}
