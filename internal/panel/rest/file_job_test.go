package rest_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

// beside is another panel on the same database.
func (h *house) beside() *house {
	h.t.Helper()
	other := *h.rules
	server, err := rest.New(rest.Options{Rules: &other, Doors: h.doors, Log: slog.New(slog.NewTextHandler(h.log, nil)), Now: h.now, Rate: rest.Rate{Each: 1e6, Burst: 1e6}})
	h.must(err)
	second := &house{t: h.t, rules: &other, doors: h.doors, db: h.db, cluster: h.cluster, server: server, http: httptest.NewServer(server.Handler()),
		router: h.router, doc: h.doc, log: h.log, door: h.door}
	h.t.Cleanup(second.http.Close)
	second.jo = &account{house: second, user: h.jo.user, token: h.jo.token}
	return second
}

// hollow makes a file of holes that no test lives to see packed.
func (h *house) hollow(name string) {
	h.t.Helper()
	h.put(name, "")
	h.must(os.Truncate(filepath.Join(h.door.root, name), 1<<40))
}

// later begins a change that is not waited for.
func (a *account) later(what string, body map[string]any) reply {
	return a.ask(request{method: http.MethodPost, path: filesAt + "/" + what, body: body, header: map[string]string{"Prefer": "respond-async"}})
}

func (a *account) pack(archive string) reply {
	return a.later("pack", map[string]any{"folder": "/html", "names": []string{"large"}, "archive": archive})
}

// until asks for a job until it is as it is to be.
func (a *account) until(at, otherwise string, is func(rest.FileJob) bool) rest.FileJob {
	a.house.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		j := read[rest.FileJob](a.house.t, a.get(at).want(a.house.t, http.StatusOK))
		if is(j) {
			return j
		}
		if time.Now().After(end) {
			a.house.t.Fatalf("%s: %+v", otherwise, j)
		}
	}
}

func drafts(t *testing.T, root string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".part") {
			all = append(all, path)
		}
		if errors.Is(err, os.ErrNotExist) { // a draft went meanwhile
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A change that takes long is seen on every panel, and any of them cancels it: nothing half
// done is left.
func TestALongChangeIsSeenAndCancelledOnAnotherPanel(t *testing.T) {
	h := newHouse(t)
	h.door.open()
	h.hollow("html/large")
	other := h.beside()
	begun := h.jo.pack("all.zip").want(t, http.StatusAccepted, `"state":"running"`, `"to":"/html/all.zip"`)
	at, ok := strings.CutPrefix(begun.header.Get("Location"), rest.Prefix)
	if !ok || begun.header.Get("Preference-Applied") != "respond-async" {
		t.Fatalf("the answer has the header %v", begun.header)
	}
	other.jo.until(at, "it is not seen how far it is", func(j rest.FileJob) bool { return j.Size > 0 && j.State == "running" })
	other.jo.get(filesAt+"/jobs").want(t, http.StatusOK, `"do":"pack"`, `"do":"unpack"`)
	other.jo.ask(request{method: http.MethodDelete, path: at}).want(t, http.StatusAccepted, `"cancelling":true`)
	ended := other.jo.until(at, "it does not end", func(j rest.FileJob) bool { return j.State != "running" })
	if ended.State != "cancelled" || ended.Ended == nil || ended.Cancelling || ended.Problem == nil || ended.Problem.Mend == "" {
		t.Errorf("the job ended as %+v", ended)
	}
	for end := time.Now().Add(time.Minute); len(drafts(t, h.door.root)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("left behind: %q", drafts(t, h.door.root))
		}
	}
	if h.file("html/all.zip") != "" {
		t.Error("half an archive has its name")
	}
	other.jo.ask(request{method: http.MethodDelete, path: at}).want(t, http.StatusAccepted, `"state":"cancelled"`)
	if text := string(h.jo.get("/audit?did=site.files").want(t, http.StatusOK).body); strings.Count(text, `"files":"cancel-pack"`) != 1 {
		t.Errorf("that it was cancelled is not noted once: %s", text)
	}
}

// What ended without somebody waiting tells how; what somebody waited for is forgotten.
func TestHowALongChangeEndedIsKeptForWhoDidNotWait(t *testing.T) {
	h := newHouse(t)
	h.door.open()
	at := strings.TrimPrefix(h.jo.later("copy", map[string]any{"paths": []string{"/html/old"}, "to": "/"}).want(t, http.StatusAccepted).header.Get("Location"), rest.Prefix)
	if j := h.jo.until(at, "it never ends", func(j rest.FileJob) bool { return j.Ended != nil }); j.State != "done" || j.Entries != 2 || j.Size != 1 || j.Problem != nil {
		t.Errorf("the copy ended as %+v", j)
	}
	if h.file("old/a.txt") != "a" {
		t.Error("nothing was copied")
	}
	at = strings.TrimPrefix(h.jo.later("unpack", map[string]any{"path": "/html/pack.tar.gz"}).want(t, http.StatusAccepted).header.Get("Location"), rest.Prefix)
	j := h.jo.until(at, "it never ends", func(j rest.FileJob) bool { return j.Ended != nil })
	if j.State != "failed" || j.Problem == nil || j.Problem.Code != hosting.Invalid || !strings.Contains(j.Problem.Detail, "no archive") || j.Problem.Mend == "" {
		t.Errorf("what can't be unpacked ended as %+v", j)
	}
	patient := request{method: http.MethodDelete, path: filesAt + "/trash", header: map[string]string{"Prefer": "respond-async, wait=60"}}
	h.jo.ask(patient).want(t, http.StatusNoContent)
	h.jo.post(filesAt+"/pack", map[string]any{"folder": "/html", "names": []string{"old"}, "archive": "o.zip"}).want(t, http.StatusNoContent)
	if l := read[rest.List[rest.FileJob]](t, h.jo.get(filesAt+"/jobs").want(t, http.StatusOK)); len(l.Items) != 3 {
		t.Errorf("there are %d jobs, want the one of before and the two that nobody waited for", len(l.Items))
	}
	h.jo.get(filesAt+"/jobs/nothing").problem(t, http.StatusNotFound, hosting.NotFound, "")
}

// Who does not wait is always told where the end can be read, be it ever so near.
func TestWhoDoesNotWaitIsNeverToldTheEnd(t *testing.T) {
	h := newHouse(t)
	h.door.open()
	for range 25 {
		// What is there already is refused at once.
		begun := h.jo.later("unpack", map[string]any{"path": "/html/pack.tar.gz"})
		at, ok := strings.CutPrefix(begun.want(t, http.StatusAccepted).header.Get("Location"), rest.Prefix)
		if !ok {
			t.Fatalf("the answer has the header %v", begun.header)
		}
		if j := h.jo.until(at, "it never ends", func(j rest.FileJob) bool { return j.Ended != nil }); j.State != "failed" {
			t.Errorf("it ended as %+v", j)
		}
	}
}

// The fourth that is under way is refused, on whichever panel, and stands nowhere as done.
func TestAFourthLongChangeIsRefusedAndNotNoted(t *testing.T) {
	h := newHouse(t)
	h.door.open()
	h.hollow("html/large")
	other := h.beside()
	for i := range 3 {
		h.jo.pack(fmt.Sprintf("%d.zip", i)).want(t, http.StatusAccepted)
	}
	other.jo.pack("four.zip").problem(t, http.StatusTooManyRequests, hosting.Limited, "")
	if text := string(h.jo.get("/audit?did=site.files").want(t, http.StatusOK).body); strings.Count(text, `"files":"pack"`) != 3 {
		t.Errorf("what was refused stands in the trail: %s", text)
	}
}

// A job whose panel died is told as ended, with what to do, and keeps nobody from another.
func TestALongChangeEndsWithItsPanel(t *testing.T) {
	h := newHouse(t)
	h.door.open()
	for i := range 3 {
		h.must(h.db.Write(t.Context(), func(tx hosting.Tx) error {
			return tx.InsertFileJob(t.Context(), &hosting.FileJob{ID: hosting.ID(fmt.Sprint("dead", i)), Site: "jo.example", Account: h.jo.user.ID, Do: "pack", Paths: []string{"/html"}, To: "/all.zip",
				Began: h.now(), Beat: h.now(), State: hosting.JobRunning})
		}))
	}
	h.jo.get(filesAt+"/jobs/dead0").want(t, http.StatusOK, `"state":"running"`)
	h.pass(time.Minute)
	h.jo.get(filesAt+"/jobs/dead0").want(t, http.StatusOK, `"state":"failed"`, `"ended":`, `"seconds":0`, "ended with the panel", "begin it again")
	h.jo.post(filesAt+"/pack", map[string]any{"folder": "/html", "names": []string{"old"}, "archive": "o.zip"}).want(t, http.StatusNoContent)
}

// A long change may take ten minutes, and its repetition waits that long before it takes
// whoever works on it for dead.
func TestALongRequestIsNotTakenForDead(t *testing.T) {
	h := newHouse(t)
	path, body := filesAt+"/copy", map[string]any{"paths": []string{"/html/index.php"}, "to": "/html/old"}
	_, err := h.rules.BeginOnce(t.Context(), h.actor(h.jo), "k", rest.Digest(http.MethodPost, rest.Prefix+path, h.text(body)), 0)
	h.must(err)
	h.pass(5 * time.Minute)
	h.jo.ask(keyed(path, "k", body)).problem(t, http.StatusConflict, hosting.Conflict, "")
	h.pass(10 * time.Minute)
	h.jo.ask(keyed(path, "k", body)).want(t, http.StatusNoContent)
}
