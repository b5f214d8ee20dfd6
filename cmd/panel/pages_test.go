package main

import "testing"

// beyond are the beginnings of pages that show what is in no memory of the panel's: a
// pod's log, a site's files, nodes. The town has no pods, and nodes only where they are looked at.
var beyond = []string{"/platform/nodes", "/sites/{site}/logs", "/sites/{site}/cron", "/sites/{site}/files", "/sites/{site}/terminal"}

// No page asks the API server for what the panel has in memory.
func TestPagesAskTheAPIServerForNothing(t *testing.T) {
	town := newTown(t)
	town.grow(10)
	o := town.open()
	o.signIn()
	for _, path := range o.pages() {
		// The panel itself asks once a minute what sites use, which is no page's doing and
		// does not come twice in a row.
		if asked := min(o.asks(path), o.asks(path)); asked > 0 {
			t.Errorf("%s asked the API server %.0f times for what is in memory", path, asked)
		}
	}
}

// asks counts what one visit of a page asks the API server.
func (o *office) asks(path string) float64 {
	o.Helper()
	before := o.metric("rest_client_requests_total")
	if before == 0 {
		o.Fatal("the panel counts no request to the API server, not even its watch")
	}
	if _, err := o.wires(path, 1)[0].ask(); err != nil {
		o.Errorf("%s: %v", path, err)
	}
	return o.metric("rest_client_requests_total") - before
}
