package edge

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/vitals"
)

// tell serves health and metrics until the returned function is called, which is after ctx
// has ended: while the last requests are answered the edge tells that it is not ready.
func (e *Edge) tell(ctx context.Context, registry *prometheus.Registry) (func(), error) {
	own := &authority.Signed{Names: []string{vitals.Host(e.config.Settings.Namespace)}, Authority: e.authority.Current, Now: time.Now}
	v := &vitals.Vitals{Health: e.config.HealthListen, Metrics: e.config.MetricsListen, Ready: e.ready, Counts: registry, Identity: own}
	listening, err := v.Listen(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	all.Go(func() {
		// Visitors are served all the same.
		if err := listening.Serve(ctx); err != nil {
			e.config.Log.Error("tell how the edge is", "error", err)
		}
	})
	return func() { cancel(); all.Wait() }, nil
}
