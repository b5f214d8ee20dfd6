package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// steps is how long it took until a site was live and when each of its
// conditions became true, counted from the start of the command.
type steps struct {
	total time.Duration
	parts map[string]time.Duration
}

// stepClock watches a site while somebody else makes it.
type stepClock struct {
	started time.Time
	stop    func() steps
}

// watchSteps starts the clock. It sees each change of the Domain as it happens,
// so times are exact to milliseconds, where conditions hold whole seconds.
func watchSteps(t testing.TB, s site) stepClock {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	watcher, err := dynamic.NewForConfigOrDie(s.config).
		Resource(v1alpha1.GroupVersion.WithResource("domains")).
		Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + s.name})
	if err != nil {
		t.Fatalf("watch %s: %v", s.name, err)
	}
	started := time.Now()
	var mu sync.Mutex
	parts := map[string]time.Duration{}
	go func() {
		for event := range watcher.ResultChan() {
			mu.Lock()
			noteConditions(parts, event.Object, time.Since(started))
			mu.Unlock()
		}
	}()
	stop := func() steps {
		total := time.Since(started)
		watcher.Stop()
		cancel()
		mu.Lock()
		defer mu.Unlock()
		return steps{total: total, parts: parts}
	}
	t.Cleanup(func() { watcher.Stop(); cancel() })
	return stepClock{started: started, stop: stop}
}

// noteConditions records when a condition was first seen to be true. One that
// falls back begins anew.
func noteConditions(parts map[string]time.Duration, object any, at time.Duration) {
	conditions := conditionsOf(object)
	for _, c := range conditions {
		switch c.Type {
		case v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled:
			continue // these sum up; the total says it better
		}
		if c.Status != metav1.ConditionTrue {
			delete(parts, c.Type)
		} else if _, seen := parts[c.Type]; !seen {
			parts[c.Type] = at
		}
	}
}

// table prints the steps in the order in which they were done.
func (s steps) table() string {
	names := make([]string, 0, len(s.parts))
	for name := range s.parts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.parts[a], s.parts[b]), cmp.Compare(a, b))
	})
	var out strings.Builder
	for _, name := range names {
		fmt.Fprintf(&out, "  %-22s %6.2f s\n", name, s.parts[name].Seconds())
	}
	fmt.Fprintf(&out, "  %-22s %6.2f s\n", "live over HTTPS", s.total.Seconds())
	return out.String()
}

// conditionsOf reads the conditions of an object of any kind.
func conditionsOf(object any) []metav1.Condition {
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return nil
	}
	var d v1alpha1.Domain
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &d); err != nil {
		return nil
	}
	return d.Status.Conditions
}
