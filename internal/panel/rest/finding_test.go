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
