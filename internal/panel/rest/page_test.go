package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

// short are the lists without pages, and why they need none.
var short = map[string]string{
	"listRuntimes": "the catalogue's",
	"getUserUsage": "a line for each resource",
	"listSessions": "one account's, which end by themselves",
	"listBrowsers": "one account's, which are forgotten by themselves",
	"listWebhooks": "an account has at most 20",
	"listCronJobs": "a site has at most 20", "listFileJobs": "three under way and ten that ended",
	"listCronRuns":  "three of each outcome are kept",
	"getCronOutput": "the end of what a run wrote",
	"listLogs":      "a site's programs",
}

func TestEveryListHasPagesOrIsShort(t *testing.T) {
	h := newHouse(t)
	lists := map[string]bool{}
	for path, item := range h.doc.Paths.Map() {
		op := item.Get
		if op == nil || !listing(op) {
			continue
		}
		lists[op.OperationID] = true
		paged := op.Parameters.GetByInAndName("query", "cursor") != nil && op.Parameters.GetByInAndName("query", "limit") != nil
		if why := short[op.OperationID]; paged == (why != "") {
			t.Errorf("GET %s (%s): it has pages: %t; why it needs none: %q", path, op.OperationID, paged, why)
		}
	}
	for id := range short {
		if !lists[id] {
			t.Errorf("there is no list %s", id)
		}
	}
}

// listing says whether an operation answers with a list of items.
func listing(op *openapi3.Operation) bool {
	ok := op.Responses.Status(http.StatusOK)
	if ok == nil {
		return false
	}
	media := ok.Value.Content.Get("application/json")
	return media != nil && media.Schema.Value.Properties["items"] != nil
}

// Page by page one gets what is on one page, in the same order.
func TestAllPagesAreTheList(t *testing.T) {
	h := newHouse(t)
	h.webhook()
	h.application()
	h.door.open()
	ctx, boss := t.Context(), h.actor(h.boss)
	for i := range 3 {
		name := fmt.Sprint("Same name ", i/2)
		_, err := h.rules.CreatePackage(ctx, boss, hosting.NewPackage{Name: fmt.Sprint("P", 2-i)})
		h.must(err)
		_, _, err = h.rules.CreateApplication(ctx, boss, hosting.Application{Name: fmt.Sprint("A", i), Redirects: []string{"https://a.example/"}, Roles: hosting.Roles()})
		h.must(err)
		_, err = h.rules.PutIdentityProvider(ctx, boss, hosting.IdentityProvider{Name: name, Issuer: fmt.Sprintf("https://login%d.example", i), ClientID: "panel",
			Secret: []byte("a secret"), Domains: []string{fmt.Sprintf("x%d.example", i)}})
		h.must(err)
		_, err = h.rules.Invite(ctx, h.actor(h.jo), hosting.Invitation{Email: fmt.Sprintf("f%d@x.example", i), Name: "F", Customer: h.jo.user.ID, Rights: []hosting.Right{hosting.RightSiteView}})
		h.must(err)
		_, err = h.doors.IssueToken(ctx, h.boss.user.Email, auth.NewToken{Name: name, Scopes: auth.TokenScopes(), Life: time.Hour})
		h.must(err)
		thrown := fmt.Sprintf("t%d\xff.txt.ABCDEFG%c", i, 'A'+i)
		h.put(".trash/files/"+thrown, "gone")
		h.put(".trash/info/"+thrown+".trashinfo", "[Trash Info]\nPath=/html/gone.txt\nDeletionDate=2026-03-01T12:00:00\n")
	}
	for path, least := range map[string]int{"/packages": 4, "/applications": 4, "/companies": 4, "/users/" + string(h.jo.user.ID) + "/collaborators": 4, "/account/tokens": 4,
		filesAt + "/trash": 4, "/nodes": 2, "/nodes/worker-1/pods": 1} {
		t.Run(path, func(t *testing.T) {
			all := read[rest.List[json.RawMessage]](t, h.boss.get(path).want(t, http.StatusOK))
			if len(all.Items) < least || all.Next != "" || *all.Total != int64(len(all.Items)) {
				t.Fatalf("one page has %d of %d items, next %q, want at least %d and no next", len(all.Items), *all.Total, all.Next, least)
			}
			var items []json.RawMessage
			for at := path + "?limit=1"; at != "" && len(items) <= len(all.Items); {
				page := read[rest.List[json.RawMessage]](t, h.boss.get(at).want(t, http.StatusOK))
				items = append(items, page.Items...)
				if at = ""; page.Next != "" {
					at = path + "?limit=1&cursor=" + page.Next
				}
			}
			if got, want := fmt.Sprintf("%s", items), fmt.Sprintf("%s", all.Items); got != want {
				t.Errorf("page by page it is %s, want %s", got, want)
			}
			h.boss.get(path+"?cursor=!").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "cursor")
		})
	}
}

func TestSitesOfAStateAndARuntime(t *testing.T) {
	h := newHouse(t)
	for i := range 3 {
		h.site(h.al, fmt.Sprintf("s%d.example", i))
		h.boss.post("/sites", map[string]any{"name": fmt.Sprintf("new%d.example", i), "runtime": "python:3.13"}).want(t, http.StatusCreated)
	}
	for query, want := range map[string]string{
		"state=live":                     "[al.example jo.example s0.example s1.example s2.example]",
		"state=creating":                 "[new0.example new1.example new2.example]",
		"runtime=python":                 "[new0.example new1.example new2.example]",
		"runtime=python:3.13":            "[new0.example new1.example new2.example]",
		"runtime=python:3":               "[]",
		"runtime=php&state=live&q=s1":    "[s1.example]",
		"runtime=php&state=creating":     "[]",
		"state=suspended&runtime=python": "[]",
	} {
		t.Run(query, func(t *testing.T) {
			names := []string{}
			for at := "/sites?limit=2&" + query; at != "" && len(names) < 10; {
				page := read[rest.List[rest.Site]](t, h.boss.get(at).want(t, http.StatusOK))
				if page.Total != nil {
					t.Error("a total is told that nobody counted")
				}
				for _, s := range page.Items {
					names = append(names, s.Name)
				}
				if at = ""; page.Next != "" {
					at = "/sites?limit=2&" + query + "&cursor=" + page.Next
				}
			}
			if got := "[" + strings.Join(names, " ") + "]"; got != want {
				t.Errorf("the sites are %s, want %s", got, want)
			}
		})
	}
	h.boss.get("/sites?state=happy").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "state")
	if got := read[rest.List[rest.Site]](t, h.jo.get("/sites?state=live")); len(got.Items) != 1 {
		t.Errorf("a customer sees %d live sites, want its own", len(got.Items))
	}
}
