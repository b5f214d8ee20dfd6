package build

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tailSize is how much of a failed program's output its error shows: the last
// screenful, where compilers and apt say what was wrong.
const tailSize = 4 << 10

// command is a program to run. Arguments are passed as they are; there is no shell.
type command struct {
	name string
	args []string
	dir  string
	env  []string // added to the environment
}

func (c command) prepare(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.name, c.args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	// A group of its own can be ended as a whole, and a builder that is killed
	// takes its programs along.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// run runs a program; its error ends with the last lines the program wrote.
func run(ctx context.Context, c command) error {
	cmd := c.prepare(ctx)
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	return c.explain(cmd.Run(), &said)
}

// output runs a program and returns what it wrote to its standard output.
func output(ctx context.Context, c command) (string, error) {
	cmd := c.prepare(ctx)
	var out bytes.Buffer
	var said tail
	cmd.Stdout, cmd.Stderr = &out, &said
	err := c.explain(cmd.Run(), &said)
	return out.String(), err
}

func (c command) explain(err error, said *tail) error {
	if err == nil {
		return nil
	}
	what := filepath.Base(c.name)
	if len(c.args) > 0 && !strings.HasPrefix(c.args[0], "-") {
		what += " " + c.args[0]
	}
	if text := said.String(); text != "" {
		return fmt.Errorf("%s: %w:\n%s", what, err, text)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > tailSize {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	text := t.text
	if extra := len(text) - tailSize; extra > 0 {
		text = text[extra:]
		if line := bytes.IndexByte(text, '\n'); line >= 0 {
			text = text[line+1:]
		}
	}
	return strings.TrimSpace(string(text))
}
