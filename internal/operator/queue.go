package operator

import (
	"sync/atomic"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// NewQuietQueue makes the queue of a controller, of which nothing is counted: a queue with
// metrics wakes the program twice a second for as long as it runs. Reconciles are
// counted all the same, and the depth can be asked for (Depth).
func NewQuietQueue(_ string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	return priorityqueue.New("", func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = limiter })
}

// Depth makes a controller's queue and tells how much waits in it.
type Depth struct {
	queue atomic.Pointer[workqueue.TypedRateLimitingInterface[reconcile.Request]]
}

// NewQueue is for controller.Options, of one controller.
func (d *Depth) NewQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	queue := NewQuietQueue(name, limiter)
	d.queue.Store(&queue)
	return queue
}

// Now is how many objects wait to be looked at; 0 before the controller has begun.
func (d *Depth) Now() int {
	if queue := d.queue.Load(); queue != nil {
		return (*queue).Len()
	}
	return 0
}
