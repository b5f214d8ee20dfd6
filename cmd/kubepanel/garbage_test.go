package main

import (
	"runtime"
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

func gogc() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

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
