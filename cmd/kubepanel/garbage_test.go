package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// What Go goes by follows what is in use, without anybody asking.
func TestThePaceFollowsWhatIsInUse(t *testing.T) {
	const least, percent = 256 << 20, 40 // so much that what else the test has makes no difference
	before := gogc()
	stop := pace(appetite{least: least, percent: percent, more: percent, large: least})
	awaitPace(t, sparest, sparest)
	half := make([]byte, least/2)
	awaitPace(t, percent+1, 100) // less by what else there is
	all := make([]byte, least/2)
	awaitPace(t, percent, percent)
	runtime.KeepAlive(all)
	runtime.KeepAlive(half)
	awaitPace(t, sparest, sparest)

	stop()
	for range 10 {
		if now := gogc(); now != before {
			t.Fatalf("when it is over it is %d %%, want %d as before", now, before)
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

// awaitPace collects until the percentage is one of those: finalizers take their time.
func awaitPace(t *testing.T, low, high uint64) {
	t.Helper()
	for range 1000 {
		runtime.GC()
		if now := gogc(); low <= now && now <= high {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("it stays at %d %%, want %d to %d", gogc(), low, high)
}

func gogc() uint64 { return measured("/gc/gogc:percent") }

func measured(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// Who has nothing to do is not collected every two minutes, and still not without bounds.
func TestWhoDozesIsCollectedWhenThereIsGarbage(t *testing.T) {
	by := appetite{least: 32 << 20, percent: 40, more: 40, large: 64 << 20}
	p := &pacer{by: by, limit: math.MaxInt64, done: make(chan struct{}), dozes: time.NewTimer(time.Hour)}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	defer debug.SetGCPercent(debug.SetGCPercent(p.now()))
	defer close(p.done)
	p.afterNext()
	runtime.GC()
	awaitPace(t, 100, sparest)

	p.doze()
	if now := gogc(); now <= sparest {
		t.Fatalf("it goes by %d percent, want by none", now)
	}
	before, most := collections(), uint64(0)
	for range 8192 { // 512 MiB, sixteen times what may lie around
		garbage = make([]byte, 64<<10)
		most = max(most, objects())
	}
	if collections() == before {
		t.Error("garbage is not collected at all")
	}
	// What was collected counts until it is swept, which goes on until the next collection is
	// near, and while that marks garbage the test makes more: 86 MiB on a busy computer.
	if bound := 4 * by.least; most > bound {
		t.Errorf("%d MiB lay around, want %d at most", most>>20, bound>>20)
	}
	awaitPace(t, 100, sparest)
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		t.Errorf("once awake its limit is %d", limit)
	}
}

var garbage []byte

func collections() uint64 { return measured("/gc/cycles/total:gc-cycles") }
func objects() uint64     { return measured("/memory/classes/heap/objects:bytes") }

func TestHowMuchGarbageMayLieAround(t *testing.T) {
	const m = 1 << 20
	for live, want := range map[uint64]int{
		0: sparest, m: sparest, 22 * m: 100, // a finalizer may come late
		40 * m: 40, 64 * m: 40, 128 * m: 54, 1 << 40: 69,
	} {
		if got := ofOperator().percentOf(live); got != want {
			t.Errorf("with %d MiB in use it is %d %%, want %d", live/m, got, want)
		}
	}
}
