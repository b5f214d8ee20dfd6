package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Who leaves a page is not called back to it: a site that has just become live has its
// page shown anew, and the page that somebody asked for meanwhile still comes.
func TestWhoLeavesAPageIsNotCalledBack(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(3 * time.Second): // longer than it takes to be called back
			fmt.Fprint(w, "the other page")
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	town := newTown(t)
	town.grow(1)
	o := town.open()
	o.signIn()
	w := o.window()
	site := "/sites/" + townSite(0)
	w.open(site)
	// All of it is said beforehand: the browser lets nobody in while it waits for a page.
	w.do(chromedp.Evaluate(`setTimeout(() => htmx.ajax("GET", "`+site+`/steps?moving=1", "#state"), 500); location.assign("`+slow.URL+`"); 0`, nil))
	deadline := time.Now().Add(30 * time.Second)
	for now := ""; now != "the other page"; now = w.read("document.body.innerText") {
		if time.Now().After(deadline) {
			t.Fatalf("the browser shows %q, want the other page, which was asked for", now)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
