package rest_test

import (
	"fmt"
	"net/http"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

func TestFindingsInPages(t *testing.T) {
	h := newHouse(t)
	const at = "/sites/jo.example/findings"
	for i := range 4 {
		f := &hosting.Finding{ID: hosting.NewID(), Site: "jo.example", Path: fmt.Appendf(nil, "/%d", i), State: hosting.FindingQuarantined, FoundAt: h.now()}
		h.must(h.rules.Store.Write(t.Context(), func(tx hosting.Tx) error { return tx.InsertFinding(t.Context(), f) }))
	}
	var paths []string
	path := at + "?limit=2"
	for path != "" {
		page := read[rest.Findings](t, h.jo.get(path).want(t, http.StatusOK))
		if page.Open != 5 || len(page.Items) > 2 || page.Look == nil {
			t.Fatalf("a page has %d of %d findings, and tells of looks: %t", len(page.Items), page.Open, page.Look != nil)
		}
		for _, f := range page.Items {
			paths = append(paths, f.Path)
		}
		path = ""
		if page.Next != "" {
			path = at + "?limit=2&cursor=" + page.Next
		}
	}
	// The one that is there already has an id that is not made of a time.
	if got, want := fmt.Sprint(paths), "[/html/bad\ufffd.php /3 /2 /1 /0]"; got != want {
		t.Errorf("all pages = %s, want %s", got, want)
	}
	h.jo.get(at+"?cursor=!").problem(t, http.StatusUnprocessableEntity, hosting.Invalid, "cursor")
}

// Of a file that somebody took for harmless, that is forgotten: it stays, and is looked at.
func TestThatAFileIsHarmlessIsForgotten(t *testing.T) {
	h := newHouse(t)
	h.door.open()
	h.must(h.rules.Store.Write(t.Context(), func(tx hosting.Tx) error {
		return tx.InsertFinding(t.Context(), &hosting.Finding{ID: "mine", Site: "jo.example", Path: []byte("/html/index.php"), State: hosting.FindingRestored, FoundAt: h.now()})
	}))
	const at = "/sites/jo.example/findings"
	forget := request{method: http.MethodDelete, path: at + "/mine"}
	h.helper.ask(forget).problem(t, http.StatusForbidden, hosting.Forbidden, "")
	h.jo.get(at).want(t, http.StatusOK, `"id":"mine"`)
	h.jo.ask(forget).want(t, http.StatusNoContent)
	if left := read[rest.Findings](t, h.jo.get(at)); len(left.Items) != 1 || left.Look.NextAt == nil {
		t.Errorf("the findings are %+v, want the other one, and that a look is due", left)
	}
	if h.file("html/index.php") == "" {
		t.Error("the file is gone")
	}
	h.jo.ask(forget).problem(t, http.StatusNotFound, hosting.NotFound, "")
}
