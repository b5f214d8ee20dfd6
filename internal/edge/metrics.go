package edge

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"kubepanel.io/kubepanel/internal/edge/proxy"
)

// metrics declares everything that /metrics shows. Nothing has a label per host.
func (e *Edge) metrics() (*prometheus.Registry, *proxy.Metrics, error) {
	registry := prometheus.NewRegistry()
	requests, err := proxy.NewMetrics(registry)
	if err != nil {
		return nil, nil, err
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("kubepanel_edge_hosts", "Host names that are served.", func() float64 {
			return float64(e.routes.Table().Len())
		}),
		gauge("kubepanel_edge_ingresses", "Ingresses of our class.", func() float64 {
			ours, _ := e.routes.Counts()
			return float64(ours)
		}),
		gauge("kubepanel_edge_rejected_hosts", "Host names that an Ingress claims and an older one has.", func() float64 {
			_, rejected := e.routes.Counts()
			return float64(rejected)
		}),
		gauge("kubepanel_edge_certificates", "Certificates in memory, of the platform's CA and of sites.", func() float64 {
			return float64(e.authority.Len() + e.own.Len())
		}),
		gauge("kubepanel_edge_ca_expiry_timestamp_seconds", "When the platform's CA ends; 0 while it is not read.", func() float64 {
			if end := e.authority.Expires(); !end.IsZero() {
				return float64(end.Unix())
			}
			return 0
		}),
	} {
		if err := registry.Register(c); err != nil {
			return nil, nil, err
		}
	}
	return registry, requests, nil
}
