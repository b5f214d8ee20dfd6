package main

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"
)

var rounds = flag.Int("rounds", 10, "how many times the list of each build is asked for")

// How the list of two builds is compared: each is asked without pause for a moment,
// and then the other one.
const (
	listSites = 1000
	listRound = 2 * time.Second
)

// listed is what the list of one program took: requests in a second, and of the
// processor for each request, by round.
type listed struct {
	office *office
	wires  []*wire
	rate   []float64
	each   []time.Duration
}

// BenchmarkList asks a panel with 1,000 sites for its list again and again, and another
// build of it in turn: what else the computer does meanwhile is the same for both.
func BenchmarkList(b *testing.B) {
	for b.Loop() {
		t := newTown(b)
		t.grow(listSites)
		programs := []string{t.program}
		if *against != "" {
			programs = append(programs, *against)
		}
		all := make([]listed, len(programs))
		for i, program := range programs {
			t.program = program
			o := t.open()
			if t.cookie == "" {
				o.signIn()
			}
			all[i] = listed{office: o, wires: o.wires("/sites", connections)}
			saturate(o, all[i].wires, time.Second) // connections and caches are warm
		}
		for range *rounds {
			for i := range all {
				all[i].round()
			}
		}
		for i := range all {
			fmt.Printf("%-30s %5.0f requests/s, best %5.0f; of the processor %5.0f µs each, best %5.0f; memory %.1f MB\n", programs[i], median(all[i].rate),
				slices.Max(all[i].rate), microseconds(median(all[i].each)), microseconds(slices.Min(all[i].each)), all[i].office.peak()/1e6)
		}
		if len(all) > 1 {
			fmt.Printf("ratio of the medians: %.2f; of the processor's time: %.2f\n", median(all[0].rate)/median(all[1].rate),
				median(all[0].each).Seconds()/median(all[1].each).Seconds())
		}
	}
}

// round asks for a moment.
func (l *listed) round() {
	before := l.office.busy()
	rate := saturate(l.office, l.wires, listRound)
	l.rate = append(l.rate, rate)
	l.each = append(l.each, time.Duration(float64(l.office.busy()-before)/(rate*listRound.Seconds())))
}

// median of some values.
func median[T float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
