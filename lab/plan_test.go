package lab

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// plan is what 'site plan --output json' says, as far as a journey looks.
type plan struct {
	Action  string `json:"action"`
	Effects []struct {
		Kind string `json:"kind"`
	} `json:"effects"`
	Objects []struct {
		Kind string `json:"kind"`
	} `json:"objects"`
	Downtime struct {
		Seconds int `json:"seconds"`
	} `json:"downtime"`
}

func (p plan) has(effect string) bool {
	for _, e := range p.Effects {
		if e.Kind == effect {
			return true
		}
	}
	return false
}

// TestAPlanIsReadThenMade plans a change, makes it, and finds nothing left to do.
func TestAPlanIsReadThenMade(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "planned.localhost")
	var p plan
	c.kubepanel(t, "site", "plan", s.name, "--php", "8.2", "--output", "json").decode(t, &p)
	if p.Action != "change" || !p.has("restart") || p.Downtime.Seconds < 1 || p.Downtime.Seconds > 60 {
		t.Errorf("the plan of another PHP = %+v, want a restart of some seconds", p)
	}
	before := s.pod(t).UID
	s.becomes(t, "Ready", "True", settleLimit)
	set := c.kubepanel(t, "site", "set", s.name, "--php", "8.2", "--wait")
	set.must(t)
	t.Logf("the plan said %d s without an answer; the change took %s", p.Downtime.Seconds, set.took.Round(100*time.Millisecond))
	after := s.pod(t).UID
	if after == before {
		t.Error("another PHP did not make another pod")
	}
	if a := c.kubepanel(t, "site", "plan", s.name, "--php", "8.2", "--detailed-exitcode"); a.code != 0 {
		t.Errorf("%s = exit code %d, want 0: it is made\n%s%s", a.line, a.code, a.stdout, a.stderr)
	}
	if a := c.kubepanel(t, "site", "plan", s.name, "--storage", "9Gi", "--detailed-exitcode"); a.code != 3 || !strings.Contains(a.stdout, "9Gi") {
		t.Errorf("%s = exit code %d, want 3\n%s%s", a.line, a.code, a.stdout, a.stderr)
	}
	c.kubepanel(t, "site", "restart", s.name, "--wait").must(t)
	if s.pod(t).UID == after {
		t.Error("a restart did not make another pod")
	}
	c.kubepanel(t, "site", "plan", s.name, "--delete", "--output", "json").decode(t, &p)
	var kinds []string
	for _, o := range p.Objects {
		kinds = append(kinds, o.Kind)
	}
	for _, kind := range []string{"Namespace", "PersistentVolumeClaim", "Database"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("the plan of a deletion names %v, and no %s", kinds, kind)
		}
	}
	s.state(t) // it was only planned
}
