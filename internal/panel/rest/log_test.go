package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

const logsAt = "/sites/jo.example/logs"

func TestLogsAreSearched(t *testing.T) {
	h := newHouse(t)
	h.jo.get(logsAt).want(t, http.StatusOK, `"source":"app"`, `"source":"access"`, `"source":"error"`)
	tests := map[string]struct {
		path string
		want []string
	}{
		"all of it":     {"/app", []string{"PHP Warning:  a claim", "all is well", "PHP Fatal error:  out of ideas"}},
		"a part":        {"/app?q=WELL", []string{"all is well"}},
		"a pattern":     {"/app?pattern=true&q=" + url.QueryEscape("^PHP (W|F)"), []string{"PHP Warning:  a claim", "PHP Fatal error:  out of ideas"}},
		"the newest":    {"/app?limit=1", []string{"PHP Fatal error:  out of ideas"}},
		"from a moment": {"/app?from=" + url.QueryEscape(h.logs.At.Add(-time.Minute).UTC().Format(time.RFC3339)), []string{"PHP Fatal error:  out of ideas"}},
		"errors alone":  {"/error", []string{"2026/03/01 12:00:00 [error] 7#7: upstream is away"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			page := read[rest.List[rest.LogLine]](t, h.jo.get(logsAt+tt.path).want(t, http.StatusOK))
			var got []string
			for _, l := range page.Items {
				got = append(got, l.Text)
			}
			if len(got) != len(tt.want) || len(got) > 0 && (got[0] != tt.want[0] || got[len(got)-1] != tt.want[len(tt.want)-1]) {
				t.Errorf("%s = %q, want %q", tt.path, got, tt.want)
			}
		})
	}
	h.jo.get(logsAt+"/app").want(t, http.StatusOK, `"level":"warning"`, `"level":"error"`)
	h.jo.get(logsAt+"/app?pattern=true&q=(").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "q")
	h.jo.get(logsAt+"/app?cursor=eA").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "cursor")
	h.jo.get(logsAt+"/app?previous=true").problem(t, http.StatusConflict, hosting.Conflict, "")
	h.jo.get(logsAt+"/other").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "source")
}

// A cursor leads back through a log, each line once.
func TestALogIsReadBackwards(t *testing.T) {
	h := newHouse(t)
	var got []string
	path := logsAt + "/app?limit=1"
	for path != "" {
		page := read[rest.List[rest.LogLine]](t, h.jo.get(path).want(t, http.StatusOK))
		for _, l := range page.Items {
			got = append(got, l.Text)
		}
		path = ""
		if page.Next != "" {
			path = logsAt + "/app?limit=1&cursor=" + page.Next
		}
	}
	if want := h.logs.Said["app"]; len(got) != len(want) || got[0] != want[2] || got[2] != want[0] {
		t.Errorf("the pages have %q, want %q from its end", got, want)
	}
}

func TestALogIsTakenAway(t *testing.T) {
	h := newHouse(t)
	whole := h.jo.get(logsAt+"/app/download?q=PHP").want(t, http.StatusOK, "Z PHP Warning:  a claim\n", "Z PHP Fatal error")
	if got := whole.header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type = %q", got)
	}
	h.jo.get(logsAt+"/app/download?q=nothing").want(t, http.StatusOK)
	h.jo.get(logsAt+"/app/download?previous=true").problem(t, http.StatusConflict, hosting.Conflict, "")
	h.jo.get("/audit?did=site.logs").want(t, http.StatusOK, `"source":"app"`)
}

// follow opens a log that goes on.
func (a *account) follow(path string) (*http.Response, *bufio.Scanner) {
	h := a.house
	h.t.Helper()
	ctx, stop := context.WithTimeout(h.t.Context(), 30*time.Second)
	h.t.Cleanup(stop)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.http.URL+rest.Prefix+path, nil)
	h.must(err)
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := h.http.Client().Do(req)
	h.must(err)
	h.t.Cleanup(func() { resp.Body.Close() })
	return resp, bufio.NewScanner(resp.Body)
}

func TestALogIsFollowedUntilTheProgramEnds(t *testing.T) {
	h := newHouse(t)
	h.logs.More = make(chan string)
	resp, lines := h.jo.follow(logsAt + "/app/follow?q=new")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("following answers %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	go func() {
		for _, text := range []string{"old", "ERROR: new", "new too"} {
			h.logs.More <- text
		}
		close(h.logs.More)
	}()
	var got []rest.LogLine
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var l rest.LogLine
		h.must(json.Unmarshal(lines.Bytes(), &l))
		got = append(got, l)
	}
	if err := lines.Err(); err != nil || len(got) != 2 || got[0].Text != "ERROR: new" || got[0].Level != hosting.LevelError || got[1].Text != "new too" {
		t.Errorf("following tells %+v (%v), want two lines and a clean end", got, err)
	}
}

// Whoever loses the right, or the token, hears nothing more.
func TestFollowingEndsWithTheToken(t *testing.T) {
	h := newHouse(t, func(o *rest.Options) { o.AskAgain = time.Millisecond })
	h.logs.More = make(chan string)
	_, lines := h.jo.follow(logsAt + "/app/follow")
	if !lines.Scan() {
		t.Fatalf("nothing came: %v", lines.Err())
	}
	h.jo.ask(request{method: http.MethodDelete, path: "/account/token"}).want(t, http.StatusNoContent)
	for lines.Scan() {
		if len(lines.Bytes()) > 0 {
			t.Errorf("somebody without a token hears %q", lines.Bytes())
		}
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the answer ended with %v, want a clean end", err)
	}
}

func TestFollowingHasItsPlaces(t *testing.T) {
	h := newHouse(t)
	h.logs.More = make(chan string)
	for range 4 {
		if resp, _ := h.jo.follow(logsAt + "/app/follow"); resp.StatusCode != http.StatusOK {
			t.Fatalf("following answers %d", resp.StatusCode)
		}
	}
	h.jo.get(logsAt+"/app/follow").problem(t, http.StatusTooManyRequests, hosting.Limited, "")
	if resp, _ := h.boss.follow(logsAt + "/app/follow"); resp.StatusCode != http.StatusOK {
		t.Errorf("another account is answered %d", resp.StatusCode)
	}
}
