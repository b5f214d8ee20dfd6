package machine

import (
	"os/exec"
	"strings"
	"testing"
)

func TestStartTimeIsReadWhateverTheProgramIsCalled(t *testing.T) {
	rest := strings.Repeat(" 0", 18) + " 4711 99\n"
	tests := map[string]struct {
		stat string
		want uint64
		err  bool
	}{
		"plain":              {stat: "1 (node) S" + rest, want: 4711},
		"blank and brackets": {stat: "1 (a) b (c) S" + rest, want: 4711},
		"zombie":             {stat: "1 (node) Z" + rest, err: true},
		"short":              {stat: "1 (node) S 1 2 3", err: true},
		"no name":            {stat: "", err: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := startTime([]byte(tt.stat))
			if got != tt.want || (err != nil) != tt.err {
				t.Errorf("startTime(%q) = %d, %v; want %d, error %t", tt.stat, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestProcessIsNotMistakenForAnother(t *testing.T) {
	sleep := exec.Command("sleep", "60")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := Identify(sleep.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Alive() {
		t.Error("Alive() = false for a process that runs")
	}
	for what, other := range map[string]Process{
		"another start": {PID: p.PID, Start: p.Start + 1, Boot: p.Boot},
		"another boot":  {PID: p.PID, Start: p.Start, Boot: "before"},
		"nobody":        {},
	} {
		if other.Alive() {
			t.Errorf("Alive() = true for %s", what)
		}
		if err := other.Signal(9); err == nil {
			t.Errorf("Signal() reached %s", what)
		}
	}
	if !p.Alive() {
		t.Fatal("a signal for another process killed this one")
	}
	if err := p.Signal(9); err != nil {
		t.Fatal(err)
	}
	_ = sleep.Wait()
	if p.Alive() {
		t.Error("Alive() = true for a process that ended")
	}
}
