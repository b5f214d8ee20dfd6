package rest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

func TestSitesInPages(t *testing.T) {
	h := newHouse(t)
	for i := range 4 {
		h.site(h.al, fmt.Sprintf("s%d.example", i))
	}
	var names []string
	path := "/sites?limit=2"
	for path != "" {
		page := read[rest.List[rest.Site]](t, h.boss.get(path).want(t, http.StatusOK))
		if *page.Total != 6 || len(page.Items) > 2 {
			t.Fatalf("a page has %d of %d sites", len(page.Items), *page.Total)
		}
		for _, s := range page.Items {
			names = append(names, s.Name)
		}
		path = ""
		if page.Next != "" {
			path = "/sites?limit=2&cursor=" + page.Next
		}
	}
	if got, want := fmt.Sprint(names), "[al.example jo.example s0.example s1.example s2.example s3.example]"; got != want {
		t.Errorf("all pages = %s, want %s", got, want)
	}
	h.boss.get("/sites?cursor=!").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "cursor")
	h.boss.get("/sites?limit=0").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "limit")
	h.boss.get("/sites?serch=x").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "serch")
}

func TestOthersSitesAreNotThere(t *testing.T) {
	h := newHouse(t)
	h.jo.get("/sites/jo.example").want(t, http.StatusOK, `"state":"live"`, `"url":"https://jo.example"`)
	h.helper.get("/sites/jo.example").want(t, http.StatusOK)
	h.al.get("/sites/jo.example").problem(t, http.StatusNotFound, hosting.NotFound, "")
	h.al.get("/sites/nowhere.example").problem(t, http.StatusNotFound, hosting.NotFound, "")
}

func TestOnlyATokenOpens(t *testing.T) {
	h := newHouse(t)
	ask := func(header map[string]string) reply {
		return h.ask(request{method: http.MethodGet, path: "/sites", header: header})
	}
	nobody := ask(nil)
	nobody.problem(t, http.StatusUnauthorized, hosting.SignIn, "")
	if got := nobody.header.Get("WWW-Authenticate"); got != `Bearer realm="kubepanel"` {
		t.Errorf("WWW-Authenticate = %q", got)
	}
	ask(map[string]string{"Authorization": "Bearer kp_wrong"}).problem(t, http.StatusUnauthorized, hosting.SignIn, "")
	ask(map[string]string{"Cookie": "__Host-session=" + h.boss.token}).problem(t, http.StatusUnauthorized, hosting.SignIn, "")
	h.pass(2 * time.Hour)
	h.boss.get("/sites").problem(t, http.StatusUnauthorized, hosting.SignIn, "") // expired
}

func TestATokenIsGoodForItsScopesAlone(t *testing.T) {
	h := newHouse(t)
	token, err := h.doors.IssueToken(t.Context(), h.jo.user.Email, auth.NewToken{Name: "t", Scopes: []hosting.Right{hosting.RightPackageView}, Life: time.Hour})
	h.must(err)
	narrow := &account{house: h, user: h.jo.user, token: token}
	narrow.get("/sites").problem(t, http.StatusForbidden, hosting.Forbidden, "")
}

// The page needs no token, has no script, and explains what problem documents lead to.
func TestThePageOfTheAPI(t *testing.T) {
	h := newHouse(t)
	page := h.ask(request{method: http.MethodGet, path: "/docs"}).want(t, http.StatusOK, "POST /api/v1/sites", `id="schema-Site"`, `id="over_quota"`, "Idempotency-Key", "site.create")
	if policy := page.header.Get("Content-Security-Policy"); strings.Contains(policy, "script-src") || strings.Contains(policy, "unsafe") || bytes.Contains(page.body, []byte("<script")) || bytes.Contains(page.body, []byte("style=")) {
		t.Errorf("the page may run something: %q", policy)
	}
	h.ask(request{method: http.MethodGet, path: "/docs.css"}).want(t, http.StatusOK, "color-scheme")
	kept, err := os.ReadFile("../../../docs/panel/openapi.json")
	h.must(err)
	var lines bytes.Buffer
	h.must(json.Indent(&lines, h.server.Document(), "", "  "))
	if lines.String()+"\n" != string(kept) {
		t.Error("docs/panel/openapi.json is not what is served; write it with: make generate")
	}
}

func TestWhatIsNotThere(t *testing.T) {
	h := newHouse(t)
	h.boss.get("/nothing").problem(t, http.StatusNotFound, hosting.NotFound, "")
	odd := h.boss.ask(request{method: http.MethodPatch, path: "/sites"})
	odd.problem(t, http.StatusMethodNotAllowed, hosting.Invalid, "")
	if got := odd.header.Get("Allow"); got != "GET" && got != "GET, POST" {
		t.Errorf("Allow = %q", got)
	}
}

// What is left of a body that was refused is never taken for the connection's next request:
// behind a proxy that would be somebody else's.
func TestTheRestOfARefusedBodyIsNoRequest(t *testing.T) {
	h := newHouse(t)
	smuggled := "GET " + rest.Prefix + "/account HTTP/1.1\r\nHost: panel.example\r\nAuthorization: Bearer " + h.boss.token + "\r\n\r\n"
	// net/http reads away up to 256 KiB of what a handler left; more of it stays.
	more := strings.Repeat("x", 512<<10)
	for path, limit := range map[string]int{"POST " + rest.Prefix + "/sites": 128 << 10, "PUT " + rest.Prefix + "/platform/settings/logo": 2 * hosting.MaxLogo} {
		conn, err := net.Dial("tcp", h.http.Listener.Addr().String())
		h.must(err)
		t.Cleanup(func() { _ = conn.Close() }) // the server may have done it
		h.must(conn.SetDeadline(time.Now().Add(time.Minute)))
		body := strings.Repeat("x", limit) + smuggled + more
		go fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: panel.example\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, h.jo.token, len(body), body)
		answers := bufio.NewReader(conn)
		first, err := http.ReadResponse(answers, nil)
		h.must(err)
		text, err := io.ReadAll(first.Body)
		h.must(err)
		if first.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s = %d %s, want 413", path, first.StatusCode, text)
		}
		if second, err := http.ReadResponse(answers, nil); err == nil {
			t.Errorf("what was left of the body of %s got an answer of its own: %s", path, second.Status)
		}
	}
}

func TestTooManyRequestsAreToldWhenToComeBack(t *testing.T) {
	h := newHouse(t, func(o *rest.Options) { o.Rate = rest.Rate{Each: 1, Burst: 2} })
	h.jo.get("/sites").want(t, http.StatusOK)
	h.jo.get("/sites").want(t, http.StatusOK)
	late := h.jo.get("/sites")
	late.problem(t, http.StatusTooManyRequests, hosting.Limited, "")
	if got := late.header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After = %q, want 1", got)
	}
	h.al.get("/sites").want(t, http.StatusOK) // another account is another count
	h.pass(time.Second)
	h.jo.get("/sites").want(t, http.StatusOK)
}
