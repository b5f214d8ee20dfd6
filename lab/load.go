package lab

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load is a bounded number of requests for one page, over a few connections that
// are kept open.
type load struct {
	url         string
	want        string // what every answer has to contain
	requests    int
	connections int
}

// loadResult is what came of it.
type loadResult struct {
	Rate float64 `json:"requestsPerSecond"`
	P50  float64 `json:"p50Milliseconds"`
	P95  float64 `json:"p95Milliseconds"`
}

// run makes the requests. One wrong answer makes the whole measurement worthless,
// so it is an error.
func (l load) run(ctx context.Context, v visitor) (loadResult, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([]float64, l.requests)
	var next atomic.Int64
	var workers sync.WaitGroup
	started := time.Now()
	for range l.connections {
		workers.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= l.requests || ctx.Err() != nil {
					return
				}
				asked := time.Now()
				got, err := v.get(ctx, l.url)
				took[n] = float64(time.Since(asked).Microseconds()) / 1000
				if err = l.check(got, err); err != nil {
					cancel(fmt.Errorf("request %d: %w", n, err))
					return
				}
			}
		})
	}
	workers.Wait()
	elapsed := time.Since(started)
	if err := context.Cause(ctx); err != nil {
		return loadResult{}, err
	}
	return loadResult{
		Rate: float64(l.requests) / elapsed.Seconds(),
		P50:  quantile(took, 0.5), P95: quantile(took, 0.95),
	}, nil
}

func (l load) check(got page, err error) error {
	switch {
	case err != nil:
		return err
	case got.status != http.StatusOK:
		return fmt.Errorf("%s = %d %s: %.200s", l.url, got.status, got.header.Get("Location"), got.body)
	case !strings.Contains(got.body, l.want):
		return fmt.Errorf("%s lacks %q: %.200s", l.url, l.want, got.body)
	}
	return nil
}
