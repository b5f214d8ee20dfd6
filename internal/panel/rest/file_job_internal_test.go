package rest

import (
	"testing"
	"time"
)

func TestPreferences(t *testing.T) {
	for header, want := range map[string]struct {
		async bool
		wait  time.Duration
	}{
		"":                                   {false, 0},
		"respond-async":                      {true, 0},
		"Respond-Async; x=y , WAIT = \"7\"":  {true, 7 * time.Second},
		"wait=3, wait=9":                     {false, 3 * time.Second},
		"return=minimal, respond-async":      {true, 0},
		"respond-async, wait=-1":             {true, 0},
		"respond-async, wait=soon":           {true, 0},
		"respond-async, wait=2000000000":     {true, longest},
		"respond-async, wait=99999999999999": {true, 0},
		"respond-asynchronously":             {false, 0},
	} {
		if async, wait := preferences(header); async != want.async || wait != want.wait {
			t.Errorf("preferences(%q) = %t, %s, want %t, %s", header, async, wait, want.async, want.wait)
		}
	}
}

func FuzzPreferences(f *testing.F) {
	f.Add("respond-async, wait=5")
	f.Fuzz(func(t *testing.T, header string) {
		if _, wait := preferences(header); wait < 0 || wait > longest {
			t.Errorf("preferences(%q) waits %s", header, wait)
		}
	})
}
