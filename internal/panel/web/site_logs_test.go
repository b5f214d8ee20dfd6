package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
)

// talking is a site of Jo's that has said something.
func talking(t *testing.T) (*house, *paneltest.Logs) {
	t.Helper()
	h := newHouse(t)
	said := &paneltest.Logs{At: clock, More: make(chan string), Said: map[string][]string{
		"app": {"PHP Warning:  <b>bold</b> claim", "all is well", "PHP Fatal error:  out of ideas"},
		"nginx": {`192.0.2.7 - - [2026-03-01T12:00:00+00:00] "GET /lost HTTP/1.1" 404 0 "-" "-"`,
			"2026/03/01 12:00:00 [error] 7#7: upstream is away"},
	}}
	h.rules.Panel.Logs = said
	h.site("shop.example", func(d *v1alpha1.Domain) { d.Spec.Timezone = "Asia/Tokyo" })
	h.as = h.jo
	return h, said
}

func TestLogsAreShownAndSearched(t *testing.T) {
	h, _ := talking(t)
	const at = "/sites/shop.example/logs"
	h.get(at).want(t, http.StatusOK, "&lt;b&gt;bold&lt;/b&gt;", `class="error"`, ">Error<", "2026-03-01 20:59:00", "Asia/Tokyo", "kubectl logs --namespace dom-shop.example")
	tests := map[string]struct {
		query     string
		code      int
		has, lack string
	}{
		"requests":              {"?source=access", 200, "/lost", "upstream"},
		"errors of nginx":       {"?source=error", 200, "upstream", "/lost"},
		"a text in any case":    {"?q=WELL", 200, "all is well", "ideas"},
		"a text is no pattern":  {"?q=a.l+is", 200, "No line.", "all is well"},
		"a pattern":             {"?q=a.l+is&pattern=on", 200, "all is well", "ideas"},
		"no pattern":            {"?q=a(&pattern=on", 422, "not a regular expression", "all is well"},
		"too late a beginning":  {"?from=2026-03-01T20:59", 200, "ideas", "all is well"},
		"an end":                {"?to=2026-03-01T20:57", 200, "bold", "ideas"},
		"no time":               {"?from=yesterday", 422, "Write a time such as 2026-03-01T21:00", "ideas"},
		"the end first":         {"?from=2026-03-01T20:59&to=2026-03-01T20:57", 422, "before the beginning", "ideas"},
		"another source":        {"?source=sftp", 422, "no log", "ideas"},
		"before the restart":    {"?previous=on", 200, "There is no such log.", "ideas"},
		"in another's language": {"?q=nothing+of+that", 200, "No line.", "ideas"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			page := h.get(at + tt.query)
			page.want(t, tt.code, tt.has)
			if strings.Contains(page.body, tt.lack) {
				t.Errorf("%s shows %q too", tt.query, tt.lack)
			}
		})
	}
}

func TestLogIsDownloadedAndNoted(t *testing.T) {
	h, _ := talking(t)
	file := h.get("/sites/shop.example/logs/download?source=app&q=php")
	file.want(t, http.StatusOK, "2026-03-01T20:57:00+09:00 PHP Warning:  <b>bold</b> claim\n", "ideas")
	if strings.Contains(file.body, "well") || !strings.Contains(file.header.Get("Content-Disposition"), `"shop.example-app.log"`) {
		t.Errorf("the file is %q with %v", file.body, file.header)
	}
	for _, query := range []string{"?from=yesterday", "?source=app&to=no+time"} {
		h.get("/sites/shop.example/logs/download"+query).want(t, http.StatusUnprocessableEntity, "Write a time such as", `aria-invalid="true"`)
	}
	trail, err := h.rules.Trail(t.Context(), h.jo, hosting.AuditQuery{})
	h.must(err)
	if len(trail.Items) == 0 || trail.Items[0].Did != string(hosting.RightSiteLogs) {
		t.Errorf("the download is not in the trail: %v", trail.Items)
	}
}

func TestLogsAreOthersBusinessOnlyByRight(t *testing.T) {
	h, _ := talking(t)
	eve, err := h.rules.CreateUser(t.Context(), h.boss, hosting.NewUser{Email: "eve@evil.example", Name: "Eve", Role: hosting.Customer, Package: h.pack})
	h.must(err)
	looker := hosting.Actor{ID: "looker", Role: hosting.Collaborator, Grants: []hosting.Grant{{Customer: h.jo.ID, Rights: []hosting.Right{hosting.RightSiteView}}}}
	reader := looker
	reader.Grants = []hosting.Grant{{Customer: h.jo.ID, Rights: []hosting.Right{hosting.RightSiteView, hosting.RightSiteLogs}}}
	for _, tt := range []struct {
		who  hosting.Actor
		code int
	}{{h.actor(eve.ID), http.StatusNotFound}, {looker, http.StatusForbidden}, {reader, http.StatusOK}} {
		h.as = tt.who
		for _, path := range []string{"/sites/shop.example/logs", "/sites/shop.example/logs/download?source=app"} {
			h.get(path).want(t, tt.code)
		}
	}
	h.as = looker
	if page := h.get("/sites/shop.example"); strings.Contains(page.body, "/logs") {
		t.Error("who may not read logs is led to them")
	}
}

// following opens the events of a log on a real server.
func (h *house) following(t *testing.T, path string) *bufio.Scanner {
	t.Helper()
	server := httptest.NewServer(h.handler)
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	h.must(err)
	answer, err := server.Client().Do(r)
	h.must(err)
	t.Cleanup(func() { io.Copy(io.Discard, answer.Body); answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("following answers %d as %q", answer.StatusCode, kind)
	}
	return bufio.NewScanner(answer.Body)
}

// until reads events until one of their lines says something.
func until(t *testing.T, s *bufio.Scanner, says string) {
	t.Helper()
	for s.Scan() {
		if strings.Contains(s.Text(), says) {
			return
		}
	}
	t.Fatalf("the events end (%v) before %q", s.Err(), says)
}

func TestFollowingALogBringsWhatIsWritten(t *testing.T) {
	h, said := talking(t)
	after := clock.Add(-time.Minute).Format(time.RFC3339Nano)
	events := h.following(t, fmt.Sprintf("/sites/shop.example/logs/follow?source=app&after=%s", after))
	said.More <- "written <now>"
	until(t, events, "id: 2026-03-01T12:00:01Z")
	until(t, events, "written &lt;now&gt;")
	close(said.More)
	for events.Scan() {
		if strings.Contains(events.Text(), "ideas") {
			t.Error("a line that the page has already comes again")
		}
	}
}

// Whoever may not read a log any more, or is signed out, gets nothing more of it.
func TestFollowingEndsWithTheRight(t *testing.T) {
	for name, end := range map[string]func(*house){
		"signed out":    func(h *house) { h.seat(hosting.Actor{}) },
		"right is gone": func(h *house) { h.seat(hosting.Actor{ID: "eve", Role: hosting.Customer}) },
	} {
		t.Run(name, func(t *testing.T) {
			h, said := talking(t)
			events := h.following(t, "/sites/shop.example/logs/follow?source=app")
			said.More <- "for Jo"
			until(t, events, "for Jo")
			end(h)
			until(t, events, "event: end")
		})
	}
}

func TestFewLogsAreFollowedAtOnce(t *testing.T) {
	h, _ := talking(t)
	for range 4 {
		h.following(t, "/sites/shop.example/logs/follow?source=app")
	}
	h.get("/sites/shop.example/logs/follow?source=app").want(t, http.StatusTooManyRequests, "Too many logs")
}
