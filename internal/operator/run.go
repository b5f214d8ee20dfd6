package operator

import (
	"context"
	"strings"
	"sync"
	"time"
)

// result is what came of one step.
type result struct {
	outcome
	condition string
	err       error
}

// run executes the steps, each as soon as those that it comes after let it, and
// returns their results in the order of the list.
func (l *Loop[T]) run(ctx context.Context, obj T, steps []Step[T]) []result {
	results := make([]result, len(steps))
	finished := make(map[string]chan struct{}, len(steps))
	place := make(map[string]int, len(steps))
	for i, s := range steps {
		finished[s.Condition], place[s.Condition] = make(chan struct{}), i
	}
	var all sync.WaitGroup
	for i, s := range steps {
		all.Go(func() {
			defer close(finished[s.Condition])
			var missing []string
			for _, need := range s.After {
				<-finished[need]
				if !results[place[need]].lets() {
					missing = append(missing, need)
				}
			}
			if len(missing) > 0 {
				results[i] = result{condition: s.Condition, outcome: outcome{
					class: blocked, reason: "Waiting", message: "Waits for " + strings.Join(missing, ", ") + ".",
				}}
				return
			}
			results[i] = l.do(ctx, obj, s)
		})
	}
	all.Wait()
	return results
}

func (l *Loop[T]) do(ctx context.Context, obj T, s Step[T]) result {
	start := time.Now()
	err := s.Do(ctx, obj)
	r := result{outcome: read(err), condition: s.Condition, err: err}
	l.Metrics.step(l.Kind, s.Condition, r.class.String(), time.Since(start))
	return r
}

// worst returns the result that speaks for the object: the worst, of equals the
// first in the list.
func worst(results []result) result {
	var w result
	for _, r := range results {
		if r.class > w.class {
			w = r
		}
	}
	return w
}
