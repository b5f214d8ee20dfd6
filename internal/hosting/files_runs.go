package hosting

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// FileRuns are the long changes of files that one panel carries out, so that they can be
// ended with it. The zero value has none; a nil one keeps none.
type FileRuns struct {
	mu    sync.Mutex
	all   map[*fileRun]struct{}
	ended bool
}

// End ends all of them, and what is begun later, and waits until it is noted of each that
// its panel was replaced. It returns an error when ctx ends before that.
func (f *FileRuns) End(ctx context.Context) error {
	f.mu.Lock()
	f.ended = true
	all := slices.Collect(maps.Keys(f.all))
	f.mu.Unlock()
	for _, r := range all {
		r.end(errReplaced)
	}
	for i, r := range all {
		select {
		case <-r.over:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d are not ended: %w", len(all)-i, len(all), context.Cause(ctx))
		}
	}
	return nil
}

func (f *FileRuns) add(r *fileRun) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		r.end(errReplaced)
		return
	}
	if f.all == nil {
		f.all = map[*fileRun]struct{}{}
	}
	f.all[r] = struct{}{}
}

func (f *FileRuns) remove(r *fileRun) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, r)
}
