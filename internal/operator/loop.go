package operator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
)

// conflictDelay is how long the loop waits after somebody else wrote the object
// it wanted to write: the watch brings the new one within milliseconds.
const conflictDelay = 100 * time.Millisecond

// Object is a kind whose progress the loop can report.
type Object interface {
	client.Object
	Conditions() *[]metav1.Condition
	Observed(generation int64)
}

// Step brings one concern of an object closer to its spec and owns one condition
// and, if need be, fields of the status that no other step touches: steps run at
// the same time. Do returns nil when the concern is satisfied, or one of Done,
// Pause, Wait, Trouble, Stall, or any other error to be retried. It may run
// twice, late, or after a crash at any line.
type Step[T Object] struct {
	Condition string
	// After names the conditions of the steps that come first. Everything that
	// nothing orders runs at once.
	After []string
	// If tells whether the step concerns an object at all; nil means that it does. Where
	// it does not, there is no condition, and nothing may come After it.
	If func(context.Context, T) bool
	Do func(context.Context, T) error
}

// Summary is what a kind needs to know to write its own phase and message.
type Summary struct {
	Ready, Paused, Stalled, Deleting bool
	// Troubled says that something is wrong, as opposed to merely not done.
	Troubled bool
	Message  string
}

// Loop reconciles one kind by running its steps.
type Loop[T Object] struct {
	Kind   string
	Client client.Client
	Steps  []Step[T]

	// Finalizer goes on before the first step runs and comes off when every step
	// of Cleanup is satisfied. Set only by kinds that own something which
	// Kubernetes' garbage collection cannot reach or would leave half-done.
	Finalizer string
	Cleanup   []Step[T]

	// Summarize writes what the kind adds to the conditions, from before's status.
	Summarize func(ctx context.Context, obj, before T, s Summary)

	Recorder recorder.EventRecorder
	Metrics  *Metrics
	// Resync is how often an object without news is looked at again, with jitter.
	Resync time.Duration
}

// Reconcile implements reconcile.ObjectReconciler.
func (l *Loop[T]) Reconcile(ctx context.Context, obj T) (reconcile.Result, error) {
	if !obj.GetDeletionTimestamp().IsZero() {
		return l.delete(ctx, obj)
	}
	if l.Finalizer != "" && !controllerutil.ContainsFinalizer(obj, l.Finalizer) {
		// Nothing outside the cluster may exist before the finalizer does.
		if err := l.setFinalizer(ctx, obj, true); err != nil {
			return settle(err)
		}
	}
	before, err := clone(obj)
	if err != nil {
		return reconcile.Result{}, err
	}
	results := l.run(ctx, obj, l.concerning(ctx, obj))
	l.report(ctx, obj, before, results)
	if err := l.writeStatus(ctx, obj, before); err != nil {
		return settle(err)
	}
	return l.next(results)
}

// concerning returns the steps that concern an object, and takes the conditions of
// all others away.
func (l *Loop[T]) concerning(ctx context.Context, obj T) []Step[T] {
	steps := l.Steps
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].If != nil && !steps[i].If(ctx, obj) {
			remove(obj, steps[i].Condition)
			steps = slices.Concat(steps[:i], steps[i+1:])
		}
	}
	return steps
}

// delete keeps the finalizer until every step of Cleanup is satisfied: without
// it something would be left behind that nobody looks after.
func (l *Loop[T]) delete(ctx context.Context, obj T) (reconcile.Result, error) {
	if !controllerutil.ContainsFinalizer(obj, l.Finalizer) {
		return reconcile.Result{}, nil
	}
	before, err := clone(obj)
	if err != nil {
		return reconcile.Result{}, err
	}
	results := l.run(ctx, obj, l.Cleanup)
	if worst(results).class == done {
		return settle(client.IgnoreNotFound(l.setFinalizer(ctx, obj, false)))
	}
	l.report(ctx, obj, before, results)
	if err := l.writeStatus(ctx, obj, before); err != nil {
		return settle(client.IgnoreNotFound(err))
	}
	return l.next(results)
}

func (l *Loop[T]) setFinalizer(ctx context.Context, obj T, on bool) error {
	before, err := clone(obj)
	if err != nil {
		return err
	}
	if on {
		controllerutil.AddFinalizer(obj, l.Finalizer)
	} else {
		controllerutil.RemoveFinalizer(obj, l.Finalizer)
	}
	// The merge patch replaces the whole list, so it carries the resource version:
	// a concurrent write must lose, not be lost.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := l.Client.Patch(ctx, obj, patch); err != nil {
		return fmt.Errorf("write finalizer: %w", err)
	}
	return nil
}

// writeStatus costs a request only when the status has changed. It writes the whole
// status, which the loop alone fills: for a patch the API server would encode what
// it has, merge the two and parse the outcome. The resource version stands for the
// concurrent write that must win.
func (l *Loop[T]) writeStatus(ctx context.Context, obj, before T) error {
	// A list that is the same is not gone over. Most of a status are conditions, and mostly
	// none is another.
	if were, are := before.Conditions(), obj.Conditions(); slices.Equal(*were, *are) {
		*were = *are
	}
	if equality.Semantic.DeepEqual(written(before), written(obj)) {
		return nil
	}
	if err := l.Client.Status().Update(ctx, obj); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// written is the status, which is all that steps write. No more of an object is compared:
// its spec takes longer.
func written(obj Object) any { return reflect.ValueOf(obj).Elem().FieldByName("Status").Interface() }

// next says when to look again.
func (l *Loop[T]) next(results []result) (reconcile.Result, error) {
	var errs []error
	after := time.Duration(0)
	for _, r := range results {
		if r.class == failed {
			errs = append(errs, fmt.Errorf("%s: %w", r.condition, r.err))
		}
		if r.after > 0 && (after == 0 || r.after < after) {
			after = r.after
		}
	}
	if err := errors.Join(errs...); err != nil {
		return reconcile.Result{}, err
	}
	if after == 0 && l.Resync > 0 {
		after = l.Resync + rand.N(l.Resync/4+1)
	}
	return reconcile.Result{RequeueAfter: after}, nil
}

// settle makes a conflict what it is: somebody was faster, look again.
func settle(err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: conflictDelay}, nil
	}
	return reconcile.Result{}, err
}

func clone[T Object](obj T) (T, error) {
	c, ok := obj.DeepCopyObject().(T)
	if !ok {
		return c, fmt.Errorf("copy of %T is another type", obj)
	}
	return c, nil
}
