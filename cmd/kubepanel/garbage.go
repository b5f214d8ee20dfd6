package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// appetite says how much garbage may lie beside what is in use before it is collected.
type appetite struct {
	// least, in bytes, is what a heap may always grow to.
	least uint64
	// percent of what is in use; of what is in use beyond large, in bytes, it is more.
	percent, more, large uint64
}

// ofOperator is the operator's: nearly all that is in use is the cache, which grows with
// every site and stays. One that starts fills it from nothing: at 40 percent of so little
// it collected all the time. With thousands of sites each collection takes a tenth of a
// second of both processors, and a computer that has them has memory as well.
func ofOperator() appetite { return appetite{least: 44 << 20, percent: 40, more: 70, large: 64 << 20} }

// sparest is the largest percentage ever, so that the few megabytes of the first
// moment are not collected before there is a cache. A finalizer may be late, and what
// is in use be far more by then.
const sparest = 1000

// percentOf is what Go is told when live bytes are in use.
func (a appetite) percentOf(live uint64) int {
	live = max(live, 1) // nothing was counted before the first collection
	small := min(live, a.large)
	garbage := (small*a.percent + (live-small)*a.more) / 100
	garbage = max(garbage, max(a.least, live)-live)
	return max(int(a.percent), int(min(garbage*100/live, sparest)))
}

// pace has garbage collected by that appetite until stop. Go knows only percents of what
// is in use, so the one that says so is set after each collection.
func pace(by appetite) (stop func()) {
	p := &pacer{by: by, limit: debug.SetMemoryLimit(-1), done: make(chan struct{})}
	before := debug.SetGCPercent(p.now())
	p.dozes = time.AfterFunc(dozeAfter, p.doze)
	p.afterNext()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		close(p.done)
		p.dozes.Stop()
		debug.SetMemoryLimit(p.limit)
		debug.SetGCPercent(before)
	}
}

// dozeAfter is how long after a collection an operator has nothing to do that brings the
// next one near.
const dozeAfter = 10 * time.Second

type pacer struct {
	by    appetite
	limit int64 // GOMEMLIMIT's
	done  chan struct{}
	dozes *time.Timer
	mu    sync.Mutex // of what Go is told
}

// afterNext is called back after each collection: it is then that the finalizer of an
// object is run which nobody has.
func (p *pacer) afterNext() {
	runtime.SetFinalizer(&struct{ p *pacer }{p}, func(*struct{ p *pacer }) {
		p.mu.Lock()
		defer p.mu.Unlock()
		select {
		case <-p.done:
		default:
			debug.SetGCPercent(p.now())
			debug.SetMemoryLimit(p.limit)
			p.dozes.Reset(dozeAfter)
			p.afterNext()
		}
	})
}

// doze lets an operator that has nothing to do alone. Whatever was collected, Go collects
// anew every two minutes, unless it is told no percentage: then it is a limit that brings
// the next collection, at the same amount of garbage as before.
func (p *pacer) doze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return
	default:
	}
	sample := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/goal:bytes"},
	}
	metrics.Read(sample)
	total, released, objects, goal := sample[0].Value.Uint64(), sample[1].Value.Uint64(), sample[2].Value.Uint64(), sample[3].Value.Uint64()
	debug.SetMemoryLimit(min(p.limit, int64(total-released+max(goal, objects)-objects)))
	debug.SetGCPercent(-1)
}

func (p *pacer) now() int {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return p.by.percentOf(sample[0].Value.Uint64())
}
