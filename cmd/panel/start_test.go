package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	against = flag.String("against", "", "another build of the panel, whose starts are measured in turn with this one's")
	starts  = flag.Int("starts", 20, "how many starts of each build are measured")
)

// startSites is how many sites there are when the panel starts.
const startSites = 1000

// begun is what starts of one program took: until the first answer, and of the
// processor until then; and the most memory that one of them had, in bytes.
type begun struct {
	first, busy []time.Duration
	memory      float64
}

// BenchmarkStart starts a panel with 1,000 sites again and again, and another build of
// it in turn: what else the computer does meanwhile is the same for both.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		t := newTown(b)
		t.grow(startSites)
		programs := []string{t.program}
		if *against != "" {
			programs = append(programs, *against)
		}
		all := make([]begun, len(programs))
		for range *starts {
			for i, program := range programs {
				t.program = program
				o := t.open()
				all[i].first, all[i].busy = append(all[i].first, o.first), append(all[i].busy, o.busy())
				all[i].memory = max(all[i].memory, o.peak())
				o.close()
			}
		}
		for i := range all {
			slices.Sort(all[i].first)
			slices.Sort(all[i].busy)
			fmt.Printf("%-30s median %4.0f ms, best %4.0f, worst %4.0f; of the processor %4.0f ms; memory %.1f MB\n", programs[i], milliseconds(quantile(all[i].first, 0.5)),
				milliseconds(all[i].first[0]), milliseconds(quantile(all[i].first, 1)), milliseconds(quantile(all[i].busy, 0.5)), all[i].memory/1e6)
		}
		if len(all) > 1 {
			fmt.Printf("ratio of the medians: %.2f; of the processor's time: %.2f\n",
				quantile(all[0].first, 0.5).Seconds()/quantile(all[1].first, 0.5).Seconds(), quantile(all[0].busy, 0.5).Seconds()/quantile(all[1].busy, 0.5).Seconds())
		}
	}
}

// busy is the processor's time that the panel has taken (proc(5), stat: utime and
// stime, in hundredths of a second).
func (o *office) busy() time.Duration {
	o.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", o.cmd.Process.Pid))
	must(o, err)
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	var user, system int
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	must(o, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}
