package operator

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what alarms and dashboards need to know of the loop.
type Metrics struct {
	stepSeconds *prometheus.HistogramVec
}

// NewMetrics declares the loop's metrics in reg.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{stepSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "kubepanel_operator_step_seconds",
		Help:    "How long one step of a reconcile took, by kind, step (its condition) and outcome.",
		Buckets: []float64{.0005, .002, .01, .05, .25, 1, 5, 30},
	}, []string{"kind", "step", "outcome"})}
	return m, reg.Register(m.stepSeconds)
}

func (m *Metrics) step(kind, step, outcome string, took time.Duration) {
	if m != nil {
		m.stepSeconds.WithLabelValues(kind, step, outcome).Observe(took.Seconds())
	}
}
