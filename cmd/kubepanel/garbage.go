package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
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
	p := &pacer{by: by, done: make(chan struct{})}
	before := debug.SetGCPercent(p.now())
	p.afterNext()
	return func() { close(p.done); debug.SetGCPercent(before) }
}

type pacer struct {
	by   appetite
	done chan struct{}
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

func (p *pacer) now() int {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return p.by.percentOf(sample[0].Value.Uint64())
}
