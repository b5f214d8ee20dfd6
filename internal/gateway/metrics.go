package gateway

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what the gateway does.
type Metrics struct {
	sessions prometheus.Gauge
	signIns  *prometheus.CounterVec
}

// NewMetrics declares the metrics; sites is asked for each scrape.
func NewMetrics(r prometheus.Registerer, sites func() int) *Metrics {
	m := &Metrics{
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kubepanel_gateway_sessions", Help: "Connections that are passed on to a site now.",
		}),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kubepanel_gateway_sign_ins_total", Help: "Passwords and keys that were tried, by outcome.",
		}, []string{"method", "outcome"}),
	}
	r.MustRegister(m.sessions, m.signIns, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kubepanel_gateway_sites", Help: "Sites that can be signed in to.",
	}, func() float64 { return float64(sites()) }))
	return m
}

func (m *Metrics) enter() { m.sessions.Inc() }
func (m *Metrics) leave() { m.sessions.Dec() }

func (m *Metrics) signIn(method string, ok bool) {
	outcome := "refused"
	if ok {
		outcome = "accepted"
	}
	m.signIns.WithLabelValues(method, outcome).Inc()
}
