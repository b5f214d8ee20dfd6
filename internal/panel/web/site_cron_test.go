package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
)

// scheduled is a site of Jo's with one cron job that has run twice.
func scheduled(t *testing.T) *house {
	t.Helper()
	h, said := talking(t)
	said.Said["cron"] = []string{"42 mails <sent>"}
	h.rules.Panel.Cron = paneltest.Runs{
		{Name: "mail-2", Job: "mail", State: hosting.RunFailed, Began: clock.Add(-time.Hour), Ended: clock.Add(-time.Hour + 5*time.Second), Asked: true},
		{Name: "mail-1", Job: "mail", State: hosting.RunSucceeded, Began: clock.Add(-2 * time.Hour), Ended: clock.Add(-2*time.Hour + time.Minute)},
	}
	h.cluster.Change("shop.example", func(d *v1alpha1.Domain) {
		d.Spec.CronJobs = []v1alpha1.CronJob{{Name: "mail", Schedule: "30 4 * * *", Shell: "php mail.php", TimeoutSeconds: 3600}}
	})
	return h
}

func cronFormOf(name, schedule, line string) url.Values {
	return url.Values{"name": {name}, "schedule": {schedule}, "line": {line}, "timeout": {"5"}, "words": {"off"}, "suspended": {"off"}}
}

func TestCronJobsAreShownWithTheirRuns(t *testing.T) {
	h := scheduled(t)
	h.get("/sites/shop.example/cron").want(t, http.StatusOK, "mail", "Every day at 04:30", "2026-03-02 04:30 JST", "Failed")
	h.get("/sites/shop.example/cron/mail").want(t, http.StatusOK, "Succeeded", "1m0s", "asked for", "2026-03-04 04:30 JST", "php mail.php")
	h.get("/sites/shop.example/cron/mail/runs/mail-1").want(t, http.StatusOK, "42 mails &lt;sent&gt;")
	h.get("/sites/shop.example/cron/mail/runs/other-1").want(t, http.StatusNotFound, "no such run")
	h.get("/sites/shop.example/cron/none").want(t, http.StatusNotFound)
}

func TestCronJobIsMadeChangedRunAndDeleted(t *testing.T) {
	h := scheduled(t)
	const at = "/sites/shop.example/cron"
	jobs := func() []v1alpha1.CronJob { return h.domain("shop.example").Spec.CronJobs }
	form := cronFormOf("report", "@daily", "php\r\nreport.php --all\r\n")
	form.Set("words", "on")
	form.Set("timezone", "Europe/Berlin")
	h.post(at, form).want(t, http.StatusSeeOther)
	if all := jobs(); len(all) != 2 || strings.Join(all[1].Command, "|") != "php|report.php --all" || all[1].TimeoutSeconds != 300 || all[1].Timezone != "Europe/Berlin" {
		t.Fatalf("the cron jobs are %+v", all)
	}
	form = cronFormOf("letters", "0 5 * * *", "php letters.php")
	form.Set("was", "mail")
	h.post(at, form).want(t, http.StatusSeeOther)
	if all := jobs(); len(all) != 2 || all[0].Name != "letters" || all[0].Shell != "php letters.php" {
		t.Fatalf("the changed cron jobs are %+v", all)
	}
	h.post(at+"/letters/run", nil).want(t, http.StatusSeeOther)
	if asked := h.domain("shop.example").Annotations[v1alpha1.AnnotationRunCron]; asked != "letters 2026-03-01T12:00:00Z" {
		t.Errorf("a run is asked for as %q", asked)
	}
	h.post(at+"/letters/delete", url.Values{"confirm": {"letters"}}).want(t, http.StatusSeeOther)
	h.post(at+"/letters/delete", url.Values{"confirm": {"letters"}}).want(t, http.StatusNotFound)
	if all := jobs(); len(all) != 1 || all[0].Name != "report" {
		t.Errorf("the cron jobs that are left are %+v", all)
	}
	trail, err := h.rules.Trail(t.Context(), h.jo, hosting.AuditQuery{})
	h.must(err)
	if n := len(trail.Items); n < 4 || trail.Items[0].Did != string(hosting.RightSiteCron) || strings.Contains(trail.Items[2].After, "letters.php") {
		t.Errorf("four changes are told in the trail as %+v, want them without their commands", trail.Items)
	}
}

func TestCronJobIsRefusedAtItsField(t *testing.T) {
	tests := map[string]struct {
		form  url.Values
		field string
		says  string
	}{
		"no name":         {cronFormOf("", "@daily", "x"), "name", "lower-case letters"},
		"name taken":      {cronFormOf("mail", "@daily", "x"), "name", "already"},
		"no schedule":     {cronFormOf("a", "", "x"), "schedule", "is no schedule"},
		"minute 61":       {cronFormOf("a", "61 * * * *", "x"), "schedule", "61 * * * *"},
		"every second":    {cronFormOf("a", "@every 1s", "x"), "schedule", "is no schedule"},
		"nothing to run":  {cronFormOf("a", "@daily", " "), "line", "something to run"},
		"no time zone":    {url.Values{"name": {"a"}, "schedule": {"@daily"}, "line": {"x"}, "timeout": {"5"}, "timezone": {"Mars/Base"}}, "timezone", "Mars/Base"},
		"no length":       {url.Values{"name": {"a"}, "schedule": {"@daily"}, "line": {"x"}, "timeout": {"long"}}, "timeout", "one minute to one day"},
		"longer than day": {url.Values{"name": {"a"}, "schedule": {"@daily"}, "line": {"x"}, "timeout": {"1441"}}, "timeout", "one minute to one day"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := scheduled(t)
			h.post("/sites/shop.example/cron", tt.form).want(t, http.StatusUnprocessableEntity, `id="`+tt.field+`-fault"`, tt.says)
			if n := len(h.domain("shop.example").Spec.CronJobs); n != 1 {
				t.Errorf("a refused cron job was made all the same: there are %d", n)
			}
		})
	}
}

func TestCronIsOthersBusinessOnlyByRight(t *testing.T) {
	h := scheduled(t)
	grant := func(rights ...hosting.Right) hosting.Actor {
		return hosting.Actor{ID: "helper", Role: hosting.Collaborator, Grants: []hosting.Grant{{Customer: h.jo.ID, Rights: append(rights, hosting.RightSiteView)}}}
	}
	h.as = grant(hosting.RightSiteChange)
	h.get("/sites/shop.example/cron").want(t, http.StatusForbidden)
	h.post("/sites/shop.example/cron", cronFormOf("a", "@daily", "x")).want(t, http.StatusForbidden)
	h.post("/sites/shop.example/cron/mail/run", nil).want(t, http.StatusForbidden)
	h.post("/sites/shop.example/cron/mail/delete", nil).want(t, http.StatusForbidden)
	h.as = hosting.Actor{ID: "stranger", Role: hosting.Customer}
	h.post("/sites/shop.example/cron/mail/run", nil).want(t, http.StatusNotFound)
}

func TestSchedulesAreReadAloud(t *testing.T) {
	for schedule, want := range map[string]string{
		"* * * * *": "Every minute", "*/5 * * * *": "Every 5 minutes", "@hourly": "Every hour at minute 0", "7 3 * * *": "Every day at 03:07",
		"0 9 * * 1-5": "On working days, Monday to Friday, at 09:00", "0 6 1 * *": "On day 1 of each month at 06:00",
		"0 6 * * 7": "Every week on Sunday at 06:00", "0 0,12 1 */2 *": "0 0,12 1 */2 *",
	} {
		h := scheduled(t)
		h.cluster.Change("shop.example", func(d *v1alpha1.Domain) { d.Spec.CronJobs[0].Schedule = schedule })
		h.get("/sites/shop.example/cron").want(t, http.StatusOK, ">"+want+"<")
	}
}
