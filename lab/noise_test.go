package lab

import (
	"errors"
	"fmt"
	"testing"

	"k8s.io/client-go/util/exec"
)

// A fork bomb was loud when it met a bound, be it that of processes or that of memory.
func TestAForkBombIsLoudByEitherBound(t *testing.T) {
	ended := func(code int) error {
		return fmt.Errorf("sh in a pod: %w: ", exec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", code), Code: code})
	}
	loud := ofProcesses()[0].loud
	for name, test := range map[string]struct {
		printed string
		err     error
		quiet   bool
	}{
		"no more processes": {"sh: 1: Cannot fork\n", nil, false},
		"said by its error": {"", errors.New("sh: 0: Cannot fork"), false},
		"no more memory":    {"", ended(137), false},
		"it ended":          {"", nil, true},
		"it was ended":      {"", ended(143), true},
		"it never ran":      {"", errors.New("no such container"), true},
	} {
		if err := loud(test.printed, test.err); (err != nil) != test.quiet {
			t.Errorf("%s: got %v, want an error: %v", name, err, test.quiet)
		}
	}
}
