package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// commandLimit ends a command that hangs. The longest, creating a WordPress
// site on a machine that is busy with nine others, took a minute.
const commandLimit = 5 * time.Minute

// answer is what a command said.
type answer struct {
	line   string
	stdout string
	stderr string
	code   int
	took   time.Duration
}

// kubepanel runs the kubepanel command of the machine, as a script would: with
// no terminal and nothing to read.
func (c *cluster) kubepanel(t testing.TB, args ...string) answer {
	t.Helper()
	return run(t, "kubepanel", args...)
}

// run runs a program to its end, whatever that is. It works in a clean-up too.
func run(t testing.TB, program string, args ...string) answer {
	t.Helper()
	a, err := ask(t.Context(), program, args...)
	if err != nil {
		t.Fatalf("%s: %v", a.line, err)
	}
	return a
}

// ask runs a program to its end, even when ctx ends before: what it did is known
// then. The error says that it could not be run at all.
func ask(ctx context.Context, program string, args ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	started := time.Now()
	err := cmd.Run()
	a := answer{
		line:   program + " " + strings.Join(args, " "),
		stdout: stdout.String(), stderr: stderr.String(), took: time.Since(started),
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		a.code, err = exit.ExitCode(), nil
	}
	return a, err
}

// must ends the test unless the command succeeded, and returns what it printed.
func (a answer) must(t testing.TB) string {
	t.Helper()
	if a.code != 0 {
		t.Fatalf("%s: exit code %d after %s\n%s%s", a.line, a.code, a.took.Round(time.Millisecond), a.stdout, a.stderr)
	}
	return a.stdout
}

// decode reads a command's JSON.
func (a answer) decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.must(t)), into); err != nil {
		t.Fatalf("%s: not JSON: %v\n%s", a.line, err, a.stdout)
	}
}

// refused checks a refusal: an exit code, nothing on standard output, and a
// sentence that names what is wrong and is for people, not for us.
func (a answer) refused(t testing.TB, names string) {
	t.Helper()
	if a.code == 0 {
		t.Errorf("%s: succeeded, want a refusal", a.line)
		return
	}
	if fault := faultOfRefusal(a, names); fault != "" {
		t.Errorf("%s: %s:\n%s%s", a.line, fault, a.stdout, a.stderr)
	}
}

// maxRefusalLines: what is wrong, and what mends it.
const maxRefusalLines = 2

func faultOfRefusal(a answer, names string) string {
	text := strings.TrimSpace(a.stderr)
	switch {
	case strings.TrimSpace(a.stdout) != "":
		return "a refusal belongs on standard error alone"
	case text == "":
		return "it does not say why"
	case strings.Count(text, "\n")+1 > maxRefusalLines:
		return "the reason is longer than two lines"
	case !strings.Contains(text, names):
		return "the reason does not name " + names
	}
	for _, internal := range []string{"goroutine", "panic", "Usage:", "admission webhook", "%!"} {
		if strings.Contains(text, internal) {
			return "the reason shows a person our insides (" + internal + ")"
		}
	}
	return ""
}
