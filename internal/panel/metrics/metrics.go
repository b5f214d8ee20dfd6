// Package metrics counts what the panel does, for Prometheus. A face names the route
// that a request took; nothing that comes from a visitor ever becomes a label, so the
// number of series is bounded. It must never hold a rule.
package metrics

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Other is the route of what no face names: a request that went nowhere.
const Other = "other"

// Metrics are all that the panel counts itself.
type Metrics struct {
	requests   *prometheus.HistogramVec
	underWay   prometheus.Gauge
	signIns    *prometheus.CounterVec
	statements prometheus.Counter
	settled    prometheus.Gauge

	// Of the trail's way to a log server.
	trailWaiting, trailLag prometheus.Gauge

	// Of looking through the files of sites.
	scanned      *prometheus.CounterVec
	scanSeconds  prometheus.Counter
	sweepsBehind prometheus.Gauge

	registry prometheus.Registerer
}

// New declares the metrics.
func New(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		registry: r,
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kubepanel_panel_request_seconds", Help: "Requests by route and status, and how long each took.",
			// A page takes about a millisecond; the goal for the 95th percentile is 20.
			Buckets: []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5},
		}, []string{"route", "code"}),
		underWay: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kubepanel_panel_requests", Help: "Requests that are being answered now.",
		}),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kubepanel_panel_sign_ins_total", Help: "Sign-ins by outcome: done, refused, limited.",
		}, []string{"outcome"}),
		statements: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kubepanel_panel_sql_statements_total", Help: "Statements sent to the panel's database.",
		}),
		settled: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kubepanel_panel_settled_timestamp_seconds", Help: "When database and cluster were last put in order.",
		}),
		trailWaiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kubepanel_panel_trail_waiting", Help: "Entries of the audit trail that the log server has not confirmed.",
		}),
		trailLag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kubepanel_panel_trail_lag_seconds", Help: "For how long the first of them has waited.",
		}),
		scanned: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kubepanel_panel_scanned_files_total", Help: "Files of sites that the scanner was to look at, by outcome: looked, found, skipped.",
		}, []string{"outcome"}),
		scanSeconds: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kubepanel_panel_scan_seconds_total", Help: "How long that took, sites that are looked through at once added up.",
		}),
		sweepsBehind: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kubepanel_panel_scan_sites_behind", Help: "Sites whose turn to be looked through is overdue by more than the time between two turns.",
		}),
	}
	r.MustRegister(m.requests, m.underWay, m.signIns, m.statements, m.settled)
	return m
}

// Statement counts a statement of SQL.
func (m *Metrics) Statement(string) { m.statements.Inc() }

// SignIn counts a sign-in.
func (m *Metrics) SignIn(outcome string) { m.signIns.WithLabelValues(outcome).Inc() }

// Settled notes that database and cluster were put in order.
func (m *Metrics) Settled(at time.Time) { m.settled.Set(float64(at.Unix())) }

// WatchTrail tells of the trail's way to a log server from now on: where there is none,
// there is nothing to tell.
func (m *Metrics) WatchTrail() { m.registry.MustRegister(m.trailWaiting, m.trailLag) }

// TrailBehind notes how many entries of the trail wait for the log server, and for how
// long the first of them has.
func (m *Metrics) TrailBehind(waiting int64, since time.Duration) {
	m.trailWaiting.Set(float64(waiting))
	m.trailLag.Set(since.Seconds())
}

// WatchSweeps tells of looking through sites from now on: where nobody looks there is
// nothing to tell.
func (m *Metrics) WatchSweeps() { m.registry.MustRegister(m.scanned, m.scanSeconds, m.sweepsBehind) }

// Swept counts the files of one turn at a site. Those that were found were looked at.
func (m *Metrics) Swept(looked, found, skipped int64, took time.Duration) {
	m.scanned.WithLabelValues("looked").Add(float64(looked))
	m.scanned.WithLabelValues("found").Add(float64(found))
	m.scanned.WithLabelValues("skipped").Add(float64(skipped))
	m.scanSeconds.Add(took.Seconds())
}

// SweepsBehind notes how many sites wait for too long.
func (m *Metrics) SweepsBehind(sites int64) { m.sweepsBehind.Set(float64(sites)) }

// Wrap measures every request that next gets.
func (m *Metrics) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.underWay.Inc()
		a := &answer{ResponseWriter: w, route: Other, code: http.StatusOK}
		began := time.Now()
		defer func() {
			m.underWay.Dec()
			m.requests.WithLabelValues(a.route, strconv.Itoa(a.code)).Observe(time.Since(began).Seconds())
		}()
		next.ServeHTTP(a, r.WithContext(context.WithValue(r.Context(), answerKey{}, a)))
	})
}

type answerKey struct{}

// answer remembers what a request came to.
type answer struct {
	http.ResponseWriter

	route   string
	code    int
	written bool
}

// WriteHeader implements http.ResponseWriter. The first status that is not merely
// informational is the answer's.
func (a *answer) WriteHeader(code int) {
	if !a.written && code >= http.StatusOK {
		a.code, a.written = code, true
	}
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(body []byte) (int, error) {
	a.written = true
	return a.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Route says which route a request took: the pattern of a mux, never its path.
func Route(ctx context.Context, pattern string) {
	if a, ok := ctx.Value(answerKey{}).(*answer); ok && pattern != "" {
		a.route = pattern
	}
}

// Routed is Route for all that a handler gets.
func Routed(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Route(r.Context(), name)
		next.ServeHTTP(w, r)
	})
}
