package operator_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/operator"
)

type step = operator.Step[*v1alpha1.Domain]

// answers makes a step of each condition that returns what is given.
func answers(returns map[string]error, after map[string][]string) []step {
	var steps []step
	for _, c := range []string{"A", "B", "C"} {
		steps = append(steps, step{Condition: c, After: after[c], Do: func(context.Context, *v1alpha1.Domain) error { return returns[c] }})
	}
	return steps
}

func reconcile(t *testing.T, l *operator.Loop[*v1alpha1.Domain], d *v1alpha1.Domain) (*v1alpha1.Domain, time.Duration, error) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	l.Client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(d).WithStatusSubresource(d).Build()
	fresh := &v1alpha1.Domain{}
	if err := l.Client.Get(t.Context(), client.ObjectKeyFromObject(d), fresh); err != nil {
		t.Fatal(err)
	}
	result, err := l.Reconcile(t.Context(), fresh)
	after := &v1alpha1.Domain{}
	if gone := l.Client.Get(t.Context(), client.ObjectKeyFromObject(d), after); gone != nil {
		return nil, result.RequeueAfter, err
	}
	return after, result.RequeueAfter, err
}

func domain() *v1alpha1.Domain {
	return &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: "a.example", Generation: 4}}
}

func TestWorstStepSpeaksForTheObject(t *testing.T) {
	boom := errors.New("password is hunter2")
	tests := map[string]struct {
		returns       map[string]error
		ready         metav1.ConditionStatus
		reason        string
		stalled, busy bool
		after         time.Duration
		fails         bool
	}{
		"all satisfied":       {ready: metav1.ConditionTrue, reason: "Satisfied"},
		"asked to do nothing": {returns: map[string]error{"A": operator.Done("Disabled", "off")}, ready: metav1.ConditionTrue, reason: "Satisfied"},
		"paused":              {returns: map[string]error{"B": operator.Pause("Suspended", "off")}, ready: metav1.ConditionFalse, reason: "Suspended"},
		"the shortest wait counts": {
			returns: map[string]error{"A": operator.Wait(time.Minute, "Slow", "a"), "B": operator.Wait(time.Second, "Fast", "b")},
			ready:   metav1.ConditionFalse, reason: "Slow", busy: true, after: time.Second,
		},
		"trouble before waiting": {
			returns: map[string]error{"A": operator.Wait(time.Minute, "Slow", "a"), "C": operator.Trouble(time.Hour, "Bad", "c")},
			ready:   metav1.ConditionFalse, reason: "Bad", busy: true, after: time.Minute,
		},
		"a stall before everything": {
			returns: map[string]error{"A": boom, "C": operator.Stall("Person", "needed")},
			ready:   metav1.ConditionFalse, reason: "Person", stalled: true, fails: true,
		},
		"an error": {returns: map[string]error{"B": boom}, ready: metav1.ConditionFalse, reason: "Failed", busy: true, fails: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := &operator.Loop[*v1alpha1.Domain]{Steps: answers(tt.returns, nil)}
			d, after, err := reconcile(t, l, domain())
			c := meta.FindStatusCondition(d.Status.Conditions, "Ready")
			if c == nil || c.Status != tt.ready || c.Reason != tt.reason || c.ObservedGeneration != 4 {
				t.Errorf("Ready = %+v, want %s %s", c, tt.ready, tt.reason)
			}
			if got := meta.IsStatusConditionTrue(d.Status.Conditions, "Stalled"); got != tt.stalled {
				t.Errorf("Stalled = %v, want %v", got, tt.stalled)
			}
			if got := meta.IsStatusConditionTrue(d.Status.Conditions, "Reconciling"); got != tt.busy {
				t.Errorf("Reconciling = %v, want %v", got, tt.busy)
			}
			if (err != nil) != tt.fails || after != tt.after {
				t.Errorf("Reconcile = after %s, %v; want after %s, an error %v", after, err, tt.after, tt.fails)
			}
			for _, c := range d.Status.Conditions {
				if strings.Contains(c.Message, "hunter2") {
					t.Errorf("%s shows the text of an inner error: %s", c.Type, c.Message)
				}
			}
		})
	}
}

func TestStepsWaitForThoseTheyNeed(t *testing.T) {
	after := map[string][]string{"B": {"A"}, "C": {"B"}}
	tests := map[string]struct {
		a    error
		b, c metav1.ConditionStatus
	}{
		"satisfied":                  {nil, metav1.ConditionTrue, metav1.ConditionTrue},
		"not there yet":              {operator.Wait(time.Second, "Slow", ""), metav1.ConditionUnknown, metav1.ConditionUnknown},
		"its objects exist, go on":   {operator.Applied(operator.Stall("Person", "")), metav1.ConditionTrue, metav1.ConditionTrue},
		"an error is never 'exists'": {operator.Applied(errors.New("x")), metav1.ConditionUnknown, metav1.ConditionUnknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := &operator.Loop[*v1alpha1.Domain]{Steps: answers(map[string]error{"A": tt.a}, after)}
			d, _, _ := reconcile(t, l, domain())
			for typ, want := range map[string]metav1.ConditionStatus{"B": tt.b, "C": tt.c} {
				if c := meta.FindStatusCondition(d.Status.Conditions, typ); c == nil || c.Status != want {
					t.Errorf("%s = %+v, want %s", typ, c, want)
				}
			}
		})
	}
}

// Two steps that nothing orders meet: neither could go on without the other.
func TestStepsThatNothingOrdersRunAtOnce(t *testing.T) {
	var meet sync.WaitGroup
	meet.Add(2)
	both := func(ctx context.Context, _ *v1alpha1.Domain) error {
		meet.Done()
		met := make(chan struct{})
		go func() { meet.Wait(); close(met) }()
		select {
		case <-met:
			return nil
		case <-time.After(10 * time.Second):
			return errors.New("the other did not run")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l := &operator.Loop[*v1alpha1.Domain]{Steps: []step{{Condition: "A", Do: both}, {Condition: "B", Do: both}}}
	if _, _, err := reconcile(t, l, domain()); err != nil {
		t.Error(err)
	}
}

func TestFinalizerComesBeforeAnyStep(t *testing.T) {
	l := &operator.Loop[*v1alpha1.Domain]{Finalizer: v1alpha1.FinalizerDomain}
	l.Steps = []step{{Condition: "A", Do: func(ctx context.Context, d *v1alpha1.Domain) error {
		stored := &v1alpha1.Domain{}
		if err := l.Client.Get(ctx, client.ObjectKeyFromObject(d), stored); err != nil {
			return err
		}
		if len(stored.Finalizers) != 1 {
			return errors.New("the finalizer is not stored yet")
		}
		return nil
	}}}
	if _, _, err := reconcile(t, l, domain()); err != nil {
		t.Error(err)
	}
}

func TestFinalizerStaysUntilEverythingIsGone(t *testing.T) {
	tests := map[string]struct {
		left error
		gone bool
	}{
		"gone":        {operator.Done("Deleted", "gone"), true},
		"unreachable": {operator.Trouble(time.Second, "Unreachable", "down"), false},
		"an error":    {errors.New("x"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := &operator.Loop[*v1alpha1.Domain]{Finalizer: v1alpha1.FinalizerDomain, Cleanup: answers(map[string]error{"B": tt.left}, nil)}
			d := domain()
			now := metav1.Now()
			d.DeletionTimestamp, d.Finalizers = &now, []string{v1alpha1.FinalizerDomain}
			after, _, _ := reconcile(t, l, d)
			if (after == nil) != tt.gone {
				t.Errorf("after cleanup the object is %v", after)
			}
			if after != nil && meta.FindStatusCondition(after.Status.Conditions, "Ready").Reason != "Terminating" {
				t.Error("Ready does not say that it is being deleted")
			}
		})
	}
}
