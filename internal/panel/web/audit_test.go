package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Who runs the platform sees how far the trail came to the log server; nobody else does.
func TestHowFarTheTrailCame(t *testing.T) {
	const server, word = "logs.example:6514", "log server"
	h := newHouse(t)
	if page := h.get("/audit"); strings.Contains(page.body, word) {
		t.Error("the page tells of a log server where there is none")
	}
	h.rules.LogServer = server
	h.get("/audit").want(t, http.StatusOK, "Entries that the log server logs.example:6514 does not have: 2. The first was made just now.")
	if page := h.get("/"); strings.Contains(page.body, word) {
		t.Error("the overview tells of a log server that is not late")
	}
	put := func(s hosting.Sending) {
		t.Helper()
		s.Server = server
		h.must(h.rules.Store.Write(t.Context(), func(tx hosting.Tx) error { return tx.PutSending(t.Context(), &s) }))
	}
	put(hosting.Sending{Tries: 3, Fault: hosting.FaultCertificate})
	for _, path := range []string{"/audit", "/"} {
		h.get(path).want(t, http.StatusOK, `class="note warn"`, "does not have: 2.", "The log server has no certificate that is valid for its name. Give it one")
	}
	put(hosting.Sending{Seq: 2, ConfirmedAt: clock.Add(-time.Hour)})
	h.get("/audit").want(t, http.StatusOK, "The log server logs.example:6514 has all of it.")
	put(hosting.Sending{Tries: 3, Fault: hosting.FaultCertificate})
	h.as = h.jo
	for _, path := range []string{"/audit", "/"} {
		if page := h.get(path); page.code != http.StatusOK || strings.Contains(page.body, word) {
			t.Errorf("%s = %d and tells a customer of the log server", path, page.code)
		}
	}
}
