package proxy

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts requests. No label grows with sites or visitors.
type Metrics struct {
	inFlight prometheus.Gauge
	seconds  prometheus.Histogram
	// requests is indexed by the first digit of the status, then by scheme.
	requests [6][2]prometheus.Counter
}

// NewMetrics declares the metrics in reg.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kubepanel_edge_requests_in_flight",
			Help: "Requests being answered now, open web sockets included.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kubepanel_edge_request_seconds",
			Help:    "Time from a request's header to the end of its answer, web sockets left out.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
	}
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kubepanel_edge_requests_total",
		Help: "Requests answered, by class of status and by scheme. 0xx: cut before a status was sent.",
	}, []string{"code", "scheme"})
	for class, name := range []string{"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		m.requests[class][0] = total.WithLabelValues(name, "http")
		m.requests[class][1] = total.WithLabelValues(name, "https")
	}
	for _, c := range []prometheus.Collector{m.inFlight, m.seconds, total} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Metrics) observe(status int, secure bool, took time.Duration) {
	class, scheme := status/100, 0
	if class < 0 || class >= len(m.requests) {
		class = 0
	}
	if secure {
		scheme = 1
	}
	m.requests[class][scheme].Inc()
	if status != http.StatusSwitchingProtocols {
		m.seconds.Observe(took.Seconds())
	}
}
