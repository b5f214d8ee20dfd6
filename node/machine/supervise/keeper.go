package supervise

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	firstPause = 500 * time.Millisecond
	longPause  = 30 * time.Second
	// settled is how long a program must run for its next end to count as a new trouble.
	settled = time.Minute
	// endPatience is between asking a program to end and killing it.
	endPatience = 10 * time.Second
)

// keeper keeps one program running until its context ends.
type keeper struct {
	program Program
	log     *slog.Logger
	output  *logFile
	owned   *children
	stop    context.CancelFunc
	done    chan struct{}
}

func keep(ctx context.Context, program Program, logs string, owned *children, log *slog.Logger) (*keeper, error) {
	output, err := openLog(filepath.Join(logs, program.Name+".log"), rotateAt)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	k := &keeper{program: program, log: log.With("program", program.Name), output: output, owned: owned, stop: stop, done: make(chan struct{})}
	go k.run(ctx)
	return k, nil
}

// end stops the program and waits for it.
func (k *keeper) end() {
	k.stop()
	<-k.done
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	defer k.output.Close()
	pause := firstPause
	for ctx.Err() == nil {
		if !k.awaitFile(ctx) {
			return
		}
		began := time.Now()
		err := k.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > settled {
			pause = firstPause
		}
		k.log.Error("ended; starting it again", "error", err, "after", time.Since(began).Round(time.Millisecond), "pause", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

// awaitFile waits for what the program can't start without; false at the end.
func (k *keeper) awaitFile(ctx context.Context) bool {
	for k.program.WaitFor != "" {
		if _, err := os.Stat(k.program.WaitFor); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
	return ctx.Err() == nil
}

// once runs the program until it ends.
func (k *keeper) once(ctx context.Context) error {
	command := exec.CommandContext(ctx, k.program.Command[0], k.program.Command[1:]...)
	command.Env = append(os.Environ(), k.program.Env...)
	command.Dir = "/"
	command.Stdout, command.Stderr = k.output, k.output
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = endPatience
	// A group of its own: a signal from a terminal is ours to pass on, in order.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	fmt.Fprintf(k.output, "--- %s: starting %s\n", time.Now().Format(time.RFC3339), k.program.Name)
	if err := k.owned.start(command); err != nil {
		return fmt.Errorf("start %s: %w", k.program.Name, err)
	}
	k.log.Info("started", "pid", command.Process.Pid)
	defer k.owned.forget(command.Process.Pid)
	return command.Wait()
}
