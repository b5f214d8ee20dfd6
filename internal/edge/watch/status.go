package watch

import (
	"context"
	"encoding/json"
	"net/netip"
	"reflect"
	"sync"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// statusWriter keeps status.loadBalancer of our Ingresses. It writes only what
// differs, one Ingress at a time, and again after an error.
type statusWriter struct {
	cluster *Cluster
	want    []networkingv1.IngressLoadBalancerIngress
	queue   workqueue.TypedRateLimitingInterface[types.NamespacedName]

	mu sync.Mutex
	// stale holds the Ingresses, of any class, whose status is not as we want it.
	stale map[types.NamespacedName]struct{}
}

func newStatusWriter(c *Cluster) *statusWriter {
	w := &statusWriter{
		cluster: c,
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[types.NamespacedName]()),
		stale:   map[types.NamespacedName]struct{}{},
	}
	for _, address := range c.Addresses {
		lb := networkingv1.IngressLoadBalancerIngress{Hostname: address}
		if _, err := netip.ParseAddr(address); err == nil {
			lb = networkingv1.IngressLoadBalancerIngress{IP: address}
		}
		w.want = append(w.want, lb)
	}
	return w
}

// review looks at an Ingress that has come or changed.
func (w *statusWriter) review(ing *networkingv1.Ingress) {
	if len(w.want) == 0 {
		return
	}
	name := cache.MetaObjectToName(ing).AsNamespacedName()
	w.mu.Lock()
	defer w.mu.Unlock()
	if reflect.DeepEqual(ing.Status.LoadBalancer.Ingress, w.want) {
		delete(w.stale, name)
		return
	}
	w.stale[name] = struct{}{}
	w.queue.Add(name)
}

// reviewAll looks at all Ingresses again, for a class may have become ours.
func (w *statusWriter) reviewAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range w.stale {
		w.queue.Add(name)
	}
}

func (w *statusWriter) forget(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.stale, name)
}

func (w *statusWriter) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, w.queue.ShutDown)
	defer stop()
	for {
		name, down := w.queue.Get()
		if down {
			return
		}
		if err := w.write(ctx, name); err != nil {
			if ctx.Err() == nil {
				w.cluster.Log.Warn("write the status of an Ingress", "ingress", name.String(), "error", err)
			}
			w.queue.AddRateLimited(name)
		} else {
			w.queue.Forget(name)
		}
		w.queue.Done(name)
	}
}

func (w *statusWriter) write(ctx context.Context, name types.NamespacedName) error {
	w.mu.Lock()
	_, stale := w.stale[name]
	w.mu.Unlock()
	// Another edge may have written it meanwhile.
	if !stale || !w.cluster.Routes.Ours(name) {
		return nil
	}
	var patch networkingv1.Ingress
	patch.Status.LoadBalancer.Ingress = w.want
	body, err := json.Marshal(map[string]any{"status": patch.Status})
	if err != nil {
		return err
	}
	_, err = w.cluster.Client.NetworkingV1().Ingresses(name.Namespace).
		Patch(ctx, name.Name, types.MergePatchType, body, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
