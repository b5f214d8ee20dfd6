package cron_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/toolbox/cron"
)

func TestScheduledWorkIsRequestedAsTheSiteItself(t *testing.T) {
	requests := make(chan *http.Request, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		// WordPress may redirect to its own address; following would leave the pod.
		if r.Host == "shop.example:8443" {
			return
		}
		http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
	}))
	defer server.Close()
	run(t, server.URL, "https://shop.example:8443", func(*proctest.Log) {
		for range 2 {
			r := <-requests
			if r.Host != "shop.example:8443" || r.URL.Path != "/wp-cron.php" || r.URL.RawQuery != "doing_wp_cron" || r.Header.Get("X-Forwarded-Proto") != "https" {
				t.Errorf("request = %s %s %v", r.Host, r.URL, r.Header)
			}
		}
	})
}

func TestRunsNeverOverlap(t *testing.T) {
	var running, most, runs atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		most.Store(max(most.Load(), running.Add(1)))
		time.Sleep(20 * time.Millisecond) // longer than the interval
		running.Add(-1)
		runs.Add(1)
	}))
	defer server.Close()
	s := scheduler(t, server.URL, "http://a.example", &proctest.Log{})
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	s.Run(ctx)
	if most.Load() != 1 || runs.Load() < 2 {
		t.Errorf("at once = %d, runs = %d, want 1 and more than one", most.Load(), runs.Load())
	}
}

func TestAFailureIsLoggedOnceAndSoIsItsEnd(t *testing.T) {
	var failing atomic.Bool
	failing.Store(true)
	answered := make(chan bool, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if failing.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
		answered <- true
	}))
	defer server.Close()
	run(t, server.URL, "https://a.example", func(*proctest.Log) {
		<-answered
		<-answered
		failing.Store(false)
		<-answered
		<-answered
	}, func(log string) {
		if strings.Count(log, "does not run") != 1 || strings.Count(log, "runs again") != 1 || !strings.Contains(log, "502") {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestAddressesThatAreNoneAreRefused(t *testing.T) {
	for _, address := range []string{"", "shop.example", "ftp://shop.example", "https://", "https://user@shop.example", "https://:443", "http://[::1"} {
		if u, err := cron.ParseSite(address); err == nil {
			t.Errorf("ParseSite(%q) = %v, want an error", address, u)
		}
	}
}

func FuzzParseSite(f *testing.F) {
	for _, seed := range []string{"https://a.example", "http://[::1]:80/", "https://a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		u, err := cron.ParseSite(address)
		if err == nil && (u.Host == "" || strings.ContainsAny(u.Host, "\r\n ")) {
			t.Errorf("ParseSite(%q) = %v", address, u)
		}
	})
}

func scheduler(t *testing.T, server, site string, log *proctest.Log) *cron.Scheduler {
	t.Helper()
	u, err := cron.ParseSite(site)
	if err != nil {
		t.Fatal(err)
	}
	return &cron.Scheduler{
		Site: u, Address: strings.TrimPrefix(server, "http://"), Log: slog.New(slog.NewTextHandler(log, nil)),
		FirstDelay: time.Millisecond, Interval: 5 * time.Millisecond,
	}
}

// run runs a scheduler while body works; the log is looked at when it has ended.
func run(t *testing.T, server, site string, body func(*proctest.Log), after ...func(log string)) {
	t.Helper()
	log := &proctest.Log{}
	s := scheduler(t, server, site, log)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	body(log)
	// The answer is counted a moment before the scheduler has taken note of it.
	time.Sleep(50 * time.Millisecond)
	cancel()
	<-done
	for _, f := range after {
		f(log.String())
	}
}
