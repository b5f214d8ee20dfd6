package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// What an operator lets lie around before it is collected: nearly all that is in use is
// the cache, which grows with every site and stays.
const (
	// garbage is in percent of what is in use; Go's own choice is 100.
	garbage = 40
	// leastHeap, in bytes, is what a heap may always grow to. An operator that starts fills
	// its cache from nothing: at 40 percent of so little it collected all the time.
	leastHeap = 44 << 20
	// sparest is the largest percentage ever, so that the few megabytes of the first
	// moment are not collected before there is a cache. A finalizer may be late, and what
	// is in use be far more by then.
	sparest = 1000
)

// pace has garbage collected when the heap is both by percent larger than what is in use
// of it and least bytes large. Go knows only percents, so the one that says so is set
// after each collection, until stop.
func pace(percent int, least uint64) (stop func()) {
	p := &pacer{percent: percent, least: least, done: make(chan struct{})}
	before := debug.SetGCPercent(p.now())
	p.afterNext()
	return func() { close(p.done); debug.SetGCPercent(before) }
}

type pacer struct {
	percent int
	least   uint64
	done    chan struct{}
}

// afterNext is called back after each collection: it is then that the finalizer of an
// object is run which nobody has.
func (p *pacer) afterNext() {
	runtime.SetFinalizer(&struct{ p *pacer }{p}, func(*struct{ p *pacer }) {
		select {
		case <-p.done:
		default:
			debug.SetGCPercent(p.now())
			p.afterNext()
		}
	})
}

// now is the percentage by which what is in use grows to the least heap, or the usual
// one where that is more.
func (p *pacer) now() int {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	live := max(sample[0].Value.Uint64(), 1) // nothing was counted before the first collection
	wanted := max(p.least, live) - live
	return max(p.percent, int(min(wanted*100/live, sparest)))
}
