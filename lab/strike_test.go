package lab

import (
	"reflect"
	"testing"
	"time"
)

func TestStrikesAreTheSameForTheSameSeed(t *testing.T) {
	const length = 10 * time.Minute
	a, b, other := strikes(7, length), strikes(7, length), strikes(8, length)
	if !reflect.DeepEqual(a, b) {
		t.Error("one seed gives two schedules")
	}
	if reflect.DeepEqual(a, other) {
		t.Error("two seeds give one schedule")
	}
	hit := map[string]int{}
	last := time.Duration(0)
	for _, s := range a {
		hit[s.victim.name]++
		if pause := s.at - last; pause < shortestPause || pause > longestPause || s.at >= length {
			t.Errorf("a strike at %s, %s after the one before", s.at, pause)
		}
		last = s.at
	}
	if len(hit) != len(victims) {
		t.Errorf("ten minutes hit %v, want each of %d kinds", hit, len(victims))
	}
}

func TestVictimsAreKnownByTheirProcess(t *testing.T) {
	for _, tt := range []struct {
		victim, process string
		want            bool
	}{
		{"php", "php-fpm8.4", true}, {"php", "pause", false}, {"operator", "kubepanel", true}, {"edge", "edge", true}, {"containerd", "kubelet", false},
	} {
		for _, v := range victims {
			if v.name == tt.victim && v.is(process{name: tt.process}) != tt.want {
				t.Errorf("%s is %s = %t, want %t", tt.process, tt.victim, !tt.want, tt.want)
			}
		}
	}
}
