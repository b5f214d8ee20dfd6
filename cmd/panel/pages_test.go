package main

import "testing"

// beyond are the beginnings of pages that show what is in no memory of the panel's: a
// pod's log, a site's files, nodes. The town has no pods and no nodes, so they are left out.
var beyond = []string{"/platform/nodes", "/sites/{site}/logs", "/sites/{site}/cron", "/sites/{site}/files", "/sites/{site}/terminal"}

// No page asks the API server for what the panel has in memory.
func TestPagesAskTheAPIServerForNothing(t *testing.T) {
	town := newTown(t)
	town.grow(10)
	o := town.open()
	o.signIn()
	for _, path := range o.pages() {
		before := o.metric("rest_client_requests_total")
		if before == 0 {
			t.Fatal("the panel counts no request to the API server, not even its watch")
		}
		w := o.wires(path, 1)[0]
		if _, err := w.ask(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if asked := o.metric("rest_client_requests_total") - before; asked > 0 {
			t.Errorf("%s asked the API server %.0f times for what is in memory", path, asked)
		}
	}
}
