package domain

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/operator"
)

// scrapeTimeout bounds a scrape that comes before the cache is filled.
const scrapeTimeout = time.Second

// collector tells, when it is asked, how many Domains are in which phase and how many
// wait, whether MariaDB answers, and what was written to the API server.
type collector struct {
	all       *kube.Index[*v1alpha1.Domain]
	databases *Databases
	counts    *kube.Counts
	queue     *operator.Depth

	domains, waiting, mariadb, objects *prometheus.Desc
}

func newCollector(r *Reconciler) *collector {
	return &collector{
		all: r.hosts, databases: r.Databases, counts: r.Kube.Counts, queue: &r.queue,
		domains: prometheus.NewDesc("kubepanel_domains", "Domains by phase.", []string{"phase"}, nil),
		waiting: prometheus.NewDesc("kubepanel_operator_queue_depth", "Domains that wait to be looked at.", nil, nil),
		mariadb: prometheus.NewDesc("kubepanel_mariadb_up", "1 while MariaDB answers the operator.", nil, nil),
		objects: prometheus.NewDesc("kubepanel_operator_objects_total",
			"Objects looked at, by what was done: applied and created cost a request, unchanged none.", []string{"done"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	to <- c.domains
	to <- c.waiting
	to <- c.mariadb
	to <- c.objects
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	if all, err := c.all.All(ctx); err == nil {
		phases := map[v1alpha1.DomainPhase]int{}
		for _, d := range all {
			phases[d.Status.Phase]++
		}
		for phase, n := range phases {
			to <- prometheus.MustNewConstMetric(c.domains, prometheus.GaugeValue, float64(n), orElse(string(phase), "New"))
		}
	}
	to <- prometheus.MustNewConstMetric(c.waiting, prometheus.GaugeValue, float64(c.queue.Now()))
	up := 0.0
	if c.databases.Up() {
		up = 1
	}
	to <- prometheus.MustNewConstMetric(c.mariadb, prometheus.GaugeValue, up)
	if c.counts == nil {
		return
	}
	for done, n := range map[string]int64{
		"applied": c.counts.Applied.Load(), "created": c.counts.Created.Load(), "unchanged": c.counts.Unchanged.Load(),
	} {
		to <- prometheus.MustNewConstMetric(c.objects, prometheus.CounterValue, float64(n), done)
	}
}
