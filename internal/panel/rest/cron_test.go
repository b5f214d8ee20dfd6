package rest_test

import (
	"net/http"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

const cronAt = "/sites/jo.example/cron"

func TestCronJobsWithTheirRuns(t *testing.T) {
	h := newHouse(t)
	h.jo.get(cronAt).want(t, http.StatusOK, `"name":"mail"`, `"zone":"UTC"`, `"state":"failed"`)
	j := read[rest.CronJob](t, h.jo.get(cronAt+"/mail").want(t, http.StatusOK))
	if len(j.Next) != 3 || j.Next[0].Format("15:04") != "04:30" || j.Last == nil || j.Last.Name != "mail-2" {
		t.Errorf("the cron job is %+v, want three times at 04:30 and the run mail-2", j)
	}
	h.jo.get(cronAt+"/mail/runs").want(t, http.StatusOK, `"asked":true`, `"name":"mail-1"`)
	h.jo.get(cronAt+"/mail/runs/mail-1/output").want(t, http.StatusOK, `"text":"42 mails sent"`)
	h.jo.get(cronAt+"/mail/runs/none/output").problem(t, http.StatusNotFound, hosting.NotFound, "")
	h.jo.get(cronAt+"/none").problem(t, http.StatusNotFound, hosting.NotFound, "")
}

func TestCronJobFromMakingToDeletion(t *testing.T) {
	h := newHouse(t)
	words := []string{"php", "report.php", "--title=two\nlines"}
	made := h.jo.post(cronAt, map[string]any{"name": "report", "schedule": "@daily", "timeZone": "Europe/Berlin", "command": words, "timeoutSeconds": 60})
	made.want(t, http.StatusCreated, `"zone":"Europe/Berlin"`)
	at := "/sites/jo.example/cron/report"
	if got := made.header.Get("Location"); got != rest.Prefix+at {
		t.Fatalf("Location = %q", got)
	}
	if job := h.jobs()[1]; len(job.Command) != 3 || job.Command[2] != words[2] || job.TimeoutSeconds != 60 {
		t.Errorf("the command is %q, want %q", job.Command, words)
	}
	h.jo.post(cronAt, map[string]any{"name": "report", "schedule": "@daily", "shell": "true"}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "name")
	h.jo.post(cronAt, map[string]any{"name": "A b", "schedule": "often", "timeZone": "Moon"}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "shell")
	h.jo.post(cronAt, map[string]any{"name": "x", "schedule": "often", "timeZone": "Moon", "shell": "a", "command": words}).problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "timeZone")
	changed := map[string]any{"name": "letters", "schedule": "0 5 * * *", "shell": "php letters.php", "suspended": true}
	put := request{method: http.MethodPut, path: at, body: changed, header: map[string]string{"If-Match": made.header.Get("Etag")}}
	h.jo.ask(put).want(t, http.StatusOK, `"next":[]`, `"suspended":true`)
	h.jo.ask(put).problem(t, http.StatusNotFound, hosting.NotFound, "") // it has another name
	put.path = cronAt + "/letters"
	h.jo.ask(put).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	gone := request{method: http.MethodDelete, path: cronAt + "/letters", header: map[string]string{"If-Match": made.header.Get("Etag")}}
	h.jo.ask(gone).problem(t, http.StatusPreconditionFailed, hosting.Changed, "")
	gone.header = nil
	h.jo.ask(gone).want(t, http.StatusNoContent)
	h.jo.ask(gone).problem(t, http.StatusNotFound, hosting.NotFound, "")
	if all := h.jobs(); len(all) != 1 || all[0].Name != "mail" {
		t.Errorf("the cron jobs that are left are %+v", all)
	}
}

func (h *house) jobs() []v1alpha1.CronJob {
	h.t.Helper()
	d, err := h.cluster.Domain(h.t.Context(), "jo.example")
	h.must(err)
	return d.Spec.CronJobs
}

// The same request for a run is the same run, also when the first panel died before it
// had answered.
func TestARunIsAskedForOnce(t *testing.T) {
	h := newHouse(t)
	asked := func() string {
		d, err := h.cluster.Domain(t.Context(), "jo.example")
		h.must(err)
		return d.Annotations[v1alpha1.AnnotationRunCron]
	}
	path := cronAt + "/mail/run"
	o, err := h.rules.BeginOnce(t.Context(), h.actor(h.jo), "k", rest.Digest(http.MethodPost, rest.Prefix+path, nil), 0)
	h.must(err)
	h.must(h.rules.Once(o).RunCronJob(t.Context(), h.actor(h.jo), "jo.example", "mail"))
	first := asked()
	h.pass(5 * time.Minute)
	h.jo.ask(keyed(path, "k", nil)).want(t, http.StatusAccepted)
	if again := asked(); first == "" || again != first {
		t.Errorf("the run is asked for as %q and then as %q, want one", first, again)
	}
	h.jo.post(path, nil).want(t, http.StatusAccepted)
	if another := asked(); another == first {
		t.Error("another request asks for the same run")
	}
	h.jo.post(cronAt+"/none/run", nil).problem(t, http.StatusNotFound, hosting.NotFound, "")
}
