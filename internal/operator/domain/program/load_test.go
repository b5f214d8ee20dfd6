package program_test

import (
	"os"
	"testing"

	"github.com/prometheus/procfs"
)

// load is what the computer's processors did until now, in seconds of all of them.
// Guests are not told how long the host let them wait but for Stolen.
type load struct {
	Run    float64 `json:"runSeconds"` // the benchmark and all that it started
	Idle   float64 `json:"idleSeconds"`
	Stolen float64 `json:"stolenSeconds"`
	// Strangers is what everybody else took: a wall time is worth as much as this is little.
	Strangers float64 `json:"strangersSeconds"`
}

func loadNow(t testing.TB) load {
	t.Helper()
	fs, err := procfs.NewDefaultFS()
	must(t, err)
	stat, err := fs.Stat()
	must(t, err)
	all := stat.CPUTotal
	l := load{Run: family(t, fs), Idle: all.Idle + all.Iowait, Stolen: all.Steal}
	l.Strangers = all.User + all.Nice + all.System + all.IRQ + all.SoftIRQ - l.Run
	return l
}

// family is the processor time of this process and all below it.
func family(t testing.TB, fs procfs.FS) float64 {
	t.Helper()
	procs, err := fs.AllProcs()
	must(t, err)
	stats := map[int]procfs.ProcStat{}
	for _, p := range procs {
		if s, err := p.Stat(); err == nil { // else it has ended meanwhile
			stats[p.PID] = s
		}
	}
	sum := 0.0
	for pid, s := range stats {
		for up := pid; up > 1; up = stats[up].PPID {
			if up == os.Getpid() {
				sum += s.CPUTime()
				break
			}
		}
	}
	return sum
}

// since is what happened after an earlier look.
func (l load) since(before load) load {
	return load{
		Run: l.Run - before.Run, Idle: l.Idle - before.Idle, Stolen: l.Stolen - before.Stolen,
		Strangers: l.Strangers - before.Strangers,
	}
}
