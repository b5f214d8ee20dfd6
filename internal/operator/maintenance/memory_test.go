package maintenance_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/operator"
	"kubepanel.io/kubepanel/internal/operator/maintenance"
)

// heard counts requests that would keep all nodes in memory.
type heard struct {
	http.RoundTripper

	watches *atomic.Int32
}

// RoundTrip implements http.RoundTripper.
func (h heard) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/nodes") && r.URL.Query().Get("watch") != "" {
		h.watches.Add(1)
	}
	return h.RoundTripper.RoundTrip(r)
}

// The operator may not watch nodes, and a client that reads its own writes begins to with
// the first that it writes: the API server refuses, again and again.
func TestWritingANodeWatchesNone(t *testing.T) {
	y := newYard(t, "worker-l")
	var watches atomic.Int32
	config := rest.CopyConfig(cluster.Config)
	config.Impersonate.UserName = operatorUser
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return heard{next, &watches} })
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: cluster.Scheme, Metrics: server.Options{BindAddress: "0"},
		Client: client.Options{Cache: &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(true)}},
	})
	y.must(err)
	metrics, err := operator.NewMetrics(prometheus.NewRegistry())
	y.must(err)
	y.must(maintenance.Setup(mgr, platformNS, metrics))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	defer func() {
		stop()
		y.must(<-ended)
	}()
	y.ask("worker-l", v1alpha1.NodeMaintenanceSpec{})
	m := &v1alpha1.NodeMaintenance{}
	err = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		err := cluster.Client.Get(ctx, client.ObjectKey{Name: "worker-l"}, m)
		return meta.IsStatusConditionTrue(m.Status.Conditions, v1alpha1.ConditionReady), err
	})
	if err != nil || !y.closed() {
		t.Fatal(errors.Join(err, errors.New("the node was not closed")))
	}
	if n := watches.Load(); n > 0 {
		t.Errorf("nodes were watched %d times", n)
	}
}
