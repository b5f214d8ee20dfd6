package access

import (
	"context"
	"slices"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/operator"
)

const (
	// retryFirst and retryLast bound how soon and how seldom a look that met an error is
	// taken again.
	retryFirst = 200 * time.Millisecond
	retryLast  = 30 * time.Second
)

// Setup adds the reconciler to a manager. It looks once at the start, when an access
// changes, and when the Domain of one does.
func (r *Reconciler) Setup(mgr ctrl.Manager) error {
	atStart := source.Func(func(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		q.Add(reconcile.Request{})
		return nil
	})
	all := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{}}
	})
	return ctrl.NewControllerManagedBy(mgr).Named("database-access").
		Watches(&v1alpha1.DatabaseAccess{}, all, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Domain{}, handler.EnqueueRequestsFromMapFunc(r.ofDomain), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(atStart).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: 1, // the two lists are compared as a whole
			NewQueue:                operator.NewQuietQueue,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryLast),
		}).
		Complete(r)
}

// ofDomain asks for a look when somebody has access to the site.
func (r *Reconciler) ofDomain(ctx context.Context, o client.Object) []reconcile.Request {
	var list v1alpha1.DatabaseAccessList
	d, ok := o.(*v1alpha1.Domain)
	if !ok || r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency) != nil {
		return nil
	}
	if !slices.ContainsFunc(list.Items, func(a v1alpha1.DatabaseAccess) bool { return a.Spec.DomainName == d.Spec.DomainName }) {
		return nil
	}
	return []reconcile.Request{{}}
}
