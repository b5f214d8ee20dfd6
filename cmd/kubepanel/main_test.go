package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// asProgram makes the test binary, which has everything linked in that the
// program has, behave like it.
const asProgram = "KUBEPANEL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(run())
	}
	os.Exit(m.Run())
}

// program runs a command line and returns what it printed and the processor time
// it took.
func program(t *testing.T, args ...string) (string, time.Duration) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), executable, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kubepanel %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// A person types kubepanel many times a day, and most of what is linked in is for
// the operator: a package that does much in its init is felt. The
// program takes about 30 ms; the limit leaves room for the race detector.
func TestStartIsNotFelt(t *testing.T) {
	const limit = 250 * time.Millisecond
	best := time.Hour
	for range 5 { // the best of some: others use the computer too
		_, took := program(t, "version")
		best = min(best, took)
	}
	t.Logf("kubepanel version takes %v of processor time", best)
	if best > limit {
		t.Errorf("kubepanel version takes %v, want at most %v; see GODEBUG=inittrace=1 kubepanel version", best, limit)
	}
}

// The operator stands beside the commands for people, without being offered to
// them.
func TestTheOperatorIsThere(t *testing.T) {
	if out, _ := program(t, "operator", "--help"); !strings.Contains(out, "--settings") {
		t.Errorf("kubepanel operator --help = %q, want its flags", out)
	}
	if out, _ := program(t, "--help"); strings.Contains(out, "Run the operator") || !strings.Contains(out, "site") {
		t.Errorf("kubepanel --help = %q, want only what is for people", out)
	}
}
