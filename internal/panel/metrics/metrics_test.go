package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"kubepanel.io/kubepanel/internal/panel/metrics"
)

// Requests are told by route and status, and what a visitor writes is in no label.
func TestRequestsAreCountedByRouteAndCode(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	mux := http.NewServeMux()
	mux.Handle("GET /sites/{site}", metrics.Routed("GET /sites/{site}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("site") == "gone" {
			w.WriteHeader(http.StatusEarlyHints) // not the answer yet
			http.Error(w, "gone", http.StatusNotFound)
		}
	})))
	server := httptest.NewServer(m.Wrap(mux))
	defer server.Close()
	for _, path := range []string{"/sites/a", "/sites/b", "/sites/gone", "/no/such"} {
		answer, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, f := range families {
		if f.GetName() != "kubepanel_panel_request_seconds" {
			continue
		}
		for _, series := range f.GetMetric() {
			var labels []string
			for _, l := range series.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			got[strings.Join(labels, " ")] = series.GetHistogram().GetSampleCount()
		}
	}
	want := map[string]uint64{"200 GET /sites/{site}": 2, "404 GET /sites/{site}": 1, "404 other": 1}
	for series, count := range want {
		if got[series] != count {
			t.Errorf("%s was counted %d times, want %d; all are %v", series, got[series], count, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("series = %v, want those of %v", got, want)
	}
}

func TestSignInsAndStatements(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	m.SignIn("done")
	m.SignIn("refused")
	m.SignIn("refused")
	m.Statement("SELECT 1")
	err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP kubepanel_panel_sign_ins_total Sign-ins by outcome: done, refused, limited.
# TYPE kubepanel_panel_sign_ins_total counter
kubepanel_panel_sign_ins_total{outcome="done"} 1
kubepanel_panel_sign_ins_total{outcome="refused"} 2
# HELP kubepanel_panel_sql_statements_total Statements sent to the panel's database.
# TYPE kubepanel_panel_sql_statements_total counter
kubepanel_panel_sql_statements_total 1
`), "kubepanel_panel_sign_ins_total", "kubepanel_panel_sql_statements_total")
	if err != nil {
		t.Error(err)
	}
}

func TestSweepsAreCountedWhereThereAreAny(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	names := []string{"kubepanel_panel_scanned_files_total", "kubepanel_panel_scan_sites_behind"}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(""), names...); err != nil {
		t.Error(err)
	}
	m.WatchSweeps()
	m.Swept(5, 1, 2, time.Second)
	m.Swept(1, 0, 0, time.Second)
	m.SweepsBehind(3)
	err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP kubepanel_panel_scanned_files_total Files of sites that the scanner was to look at, by outcome: looked, found, skipped.
# TYPE kubepanel_panel_scanned_files_total counter
kubepanel_panel_scanned_files_total{outcome="found"} 1
kubepanel_panel_scanned_files_total{outcome="looked"} 6
kubepanel_panel_scanned_files_total{outcome="skipped"} 2
# HELP kubepanel_panel_scan_sites_behind Sites whose turn to be looked through is overdue by more than the time between two turns.
# TYPE kubepanel_panel_scan_sites_behind gauge
kubepanel_panel_scan_sites_behind 3
`), names...)
	if err != nil {
		t.Error(err)
	}
}
