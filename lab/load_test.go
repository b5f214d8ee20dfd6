package lab

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func TestLoadMakesExactlyItsRequests(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, "a page")
	}))
	defer server.Close()
	got, err := load{url: server.URL, want: "page", requests: 50, connections: 4}.run(t.Context(), visitor{http: server.Client()})
	if err != nil || asked.Load() != 50 || got.Rate <= 0 || got.P95 < got.P50 {
		t.Errorf("run = %+v, %v after %d requests, want 50", got, err, asked.Load())
	}
}

func TestLoadFailsOnOneWrongAnswer(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 20 {
			w.WriteHeader(http.StatusBadGateway)
		}
		fmt.Fprint(w, "a page")
	}))
	defer server.Close()
	l := load{url: server.URL, want: "page", requests: 50, connections: 2}
	if got, err := l.run(t.Context(), visitor{http: server.Client()}); err == nil {
		t.Errorf("run = %+v, want an error for the one 502", got)
	}
}
