package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// stopPatience is how long the machine gets to end its containers: the
	// supervisor gives them 20 s of it.
	stopPatience = 45 * time.Second
	// restartPause keeps a machine that dies at once from spinning.
	restartPause = time.Second
)

// Serve is the outside process of a machine: it makes the machine's network
// and cgroups, forwards the web ports, starts the machine's init and starts it
// again when it dies. It returns when ctx ends, with everything taken down. If it is
// killed, the machine dies with it, so half a machine never goes on unseen.
func (m Machine) Serve(ctx context.Context, ready io.WriteCloser, log *slog.Logger) error {
	err := m.serve(ctx, ready, log)
	if err != nil {
		// Whoever waits on the other end shows it; later nobody does.
		fmt.Fprint(ready, err)
	}
	ready.Close()
	return err
}

func (m Machine) serve(ctx context.Context, ready io.WriteCloser, log *slog.Logger) error {
	// The machine's init is tied to the life of the thread that starts it (PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	lock, err := m.lock("daemon.lock")
	if err != nil {
		return err
	}
	defer lock.Close()
	trees, err := m.prepare(ctx)
	if err != nil {
		return errors.Join(err, m.leave(trees))
	}
	if err := m.listenAll(ctx, log); err != nil {
		return errors.Join(err, m.leave(trees))
	}
	err = m.keepRunning(ctx, ready, trees, log)
	return errors.Join(err, m.leave(trees))
}

// prepare clears what a dead run left and makes the outside of the machine.
func (m Machine) prepare(ctx context.Context) ([]hierarchy, error) {
	if err := m.owned(); err != nil {
		return nil, err
	}
	if err := m.Clean(ctx); err != nil {
		return nil, fmt.Errorf("clear what an earlier run left: %w", err)
	}
	self, err := Identify(os.Getpid())
	if err != nil {
		return nil, err
	}
	if err := self.keep(m.daemonFile()); err != nil {
		return nil, err
	}
	trees, err := hierarchies()
	if err != nil {
		return nil, err
	}
	if err := makeCgroups(m.cgroup(), trees); err != nil {
		return trees, err
	}
	if err := joinCgroups(os.Getpid(), m.cgroup()+"/outside", trees); err != nil {
		return trees, err
	}
	settings, _, err := m.Settings()
	if err != nil {
		return trees, err
	}
	if err := m.raiseSysctls(settings); err != nil {
		return trees, err
	}
	return trees, m.makeBridge(ctx, settings)
}

// leave is the end: the computer is as it was before.
func (m Machine) leave(trees []hierarchy) error {
	// Nothing may cut this short, least of all the signal that led here.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	// Out of our own cgroup, so that it can be removed.
	err := joinCgroups(os.Getpid(), "/", trees)
	return errors.Join(err, m.Clean(ctx), m.restoreSysctls())
}

func (m Machine) listenAll(ctx context.Context, log *slog.Logger) error {
	settings, _, err := m.Settings()
	if err != nil {
		return err
	}
	for inside, outside := range map[int]int{80: settings.HTTPPort, 443: settings.HTTPSPort, 2222: settings.SSHPort} {
		if outside == 0 {
			continue // a machine of before there was a gateway
		}
		listeners, err := listen(outside)
		if err != nil {
			return err
		}
		target := net.JoinHostPort(settings.Address(), strconv.Itoa(inside))
		for _, listener := range listeners {
			context.AfterFunc(ctx, func() { listener.Close() })
			go forward(ctx, listener, target, log)
		}
	}
	return nil
}

func (m Machine) keepRunning(ctx context.Context, ready io.WriteCloser, trees []hierarchy, log *slog.Logger) error {
	for first := true; ; first = false {
		process, err := m.startInit(ctx, trees)
		if err != nil && (first || ctx.Err() != nil) {
			return err
		}
		if err != nil {
			log.Error("start the machine", "error", err)
		} else {
			log.Info("machine started", "pid", process.Process.Pid)
			if first {
				// 'up' may be gone; the machine runs all the same.
				_, _ = ready.Write([]byte{'+'})
				ready.Close()
			}
			if m.await(ctx, process, log) {
				return nil
			}
		}
		if err := m.clearInside(ctx, trees); err != nil {
			log.Error("clear the dead machine", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restartPause):
		}
	}
}

// await waits for the machine's end; it tells whether that was asked for.
func (m Machine) await(ctx context.Context, process *exec.Cmd, log *slog.Logger) bool {
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	select {
	case err := <-ended:
		log.Error("machine died; starting it again", "error", err)
		return false
	case <-ctx.Done():
	}
	_ = process.Process.Signal(unix.SIGTERM)
	select {
	case <-ended:
	case <-time.After(stopPatience):
		log.Warn("machine does not stop; killing it")
		_ = process.Process.Kill()
		<-ended
	}
	return true
}

// clearInside removes a dead machine's cgroups and network end, which would
// slow down or mislead the next one.
func (m Machine) clearInside(ctx context.Context, trees []hierarchy) error {
	err := errors.Join(removeCgroups(m.cgroup()+"/inside", trees), m.unplug(ctx))
	return errors.Join(err, makeCgroups(m.cgroup(), trees))
}

// startInit starts the machine's first process in namespaces of its own and
// waits until it has built the machine.
func (m Machine) startInit(ctx context.Context, trees []hierarchy) (*exec.Cmd, error) {
	goRead, goWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the machine: %w", err)
	}
	defer goRead.Close()
	defer goWrite.Close()
	readyRead, readyWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the machine: %w", err)
	}
	defer readyRead.Close()
	output, err := os.OpenFile(filepath.Join(m.Logs(), "machine.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("start the machine: %w", err)
	}
	defer output.Close()
	command := exec.Command(m.Executable(), "machine-init", "--state", m.State, "--machine", m.Name)
	command.Env = environment()
	command.Stdout, command.Stderr = output, output
	command.ExtraFiles = []*os.File{goRead, readyWrite}
	command.SysProcAttr = &unix.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWPID,
		Pdeathsig:  unix.SIGKILL,
		Setsid:     true,
	}
	err = command.Start()
	readyWrite.Close()
	if err != nil {
		return nil, fmt.Errorf("start the machine: %w", err)
	}
	if err := m.release(ctx, command.Process.Pid, trees, goWrite, readyRead); err != nil {
		_ = command.Process.Kill()
		_ = command.Wait()
		return nil, err
	}
	return command, nil
}

// release gives a waiting init its cgroups and network, lets it go, and waits
// for its word.
func (m Machine) release(ctx context.Context, pid int, trees []hierarchy, goAhead io.Writer, ready *os.File) error {
	process, err := Identify(pid)
	if err != nil {
		return err
	}
	if err := joinCgroups(pid, m.cgroup()+"/inside", trees); err != nil {
		return err
	}
	if err := m.plug(ctx, pid); err != nil {
		return err
	}
	if _, err := goAhead.Write([]byte{'+'}); err != nil {
		return fmt.Errorf("start the machine: %w", err)
	}
	const buildPatience = 30 * time.Second
	if err := ready.SetReadDeadline(time.Now().Add(buildPatience)); err != nil {
		return fmt.Errorf("start the machine: %w", err)
	}
	said, err := io.ReadAll(ready)
	if err != nil {
		return fmt.Errorf("wait for the machine: %w", err)
	}
	if string(said) != "+" {
		return fmt.Errorf("build the machine: %s", said)
	}
	return process.keep(m.initFile())
}
