package main

import (
	"path/filepath"
	"testing"
)

// A platform that is not set up is told by an exit code, which the node restarts on.
func TestWithoutSettingsTheProgramEnds(t *testing.T) {
	if code := run([]string{"--settings", filepath.Join(t.TempDir(), "none.yaml")}); code != 1 {
		t.Errorf("run without settings = %d, want 1", code)
	}
	if code := run([]string{"--help"}); code != 0 {
		t.Errorf("run --help = %d, want 0", code)
	}
}
