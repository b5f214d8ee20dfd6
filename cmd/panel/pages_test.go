package main

import "testing"

// asksCluster are the pages that show what no cache holds, and how many requests to
// the API server one of them is at most.
var asksCluster = map[string]float64{}

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
		if asked := o.metric("rest_client_requests_total") - before; asked > asksCluster[path] {
			t.Errorf("%s asked the API server %.0f times, want at most %.0f", path, asked, asksCluster[path])
		}
	}
}
