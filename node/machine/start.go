package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ErrBusy says that another run holds the machine.
var ErrBusy = errors.New("another 'node' command is at work on this machine")

// Start brings the machine up and returns once its inside is built; started is
// false when it ran already.
func (m Machine) Start(ctx context.Context) (started bool, err error) {
	if m.Daemon().Alive() {
		return false, m.awaitInit(ctx)
	}
	if err := os.MkdirAll(m.Logs(), 0o755); err != nil {
		return false, fmt.Errorf("start the machine: %w", err)
	}
	if err := os.MkdirAll(m.rootDir(), 0o755); err != nil {
		return false, fmt.Errorf("start the machine: %w", err)
	}
	if err := m.InstallSelf(); err != nil {
		return false, err
	}
	return true, m.startDaemon()
}

// awaitInit covers the moment in which the daemon restarts a dead machine.
func (m Machine) awaitInit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for !m.Init().Alive() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the machine does not start: see %s", filepath.Join(m.Logs(), "daemon.log"))
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// InstallSelf copies this program into the machine's folder.
func (m Machine) InstallSelf() error {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	return WriteFile(m.Executable(), self, 0o755)
}

// Current tells whether the machine is run by this very program.
func (m Machine) Current() bool {
	self, err := os.ReadFile("/proc/self/exe")
	installed, installedErr := os.ReadFile(m.Executable())
	return err == nil && installedErr == nil && bytes.Equal(self, installed)
}

// startDaemon starts the outside process, free of the caller's terminal and
// session, and waits until it says that the machine runs.
func (m Machine) startDaemon() error {
	readyRead, readyWrite, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start the machine: %w", err)
	}
	defer readyRead.Close()
	output, err := os.OpenFile(filepath.Join(m.Logs(), "daemon.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("start the machine: %w", err)
	}
	defer output.Close()
	command := exec.Command(m.Executable(), "run-machine", "--state", m.State, "--machine", m.Name)
	command.Env = environment()
	command.Dir = "/"
	command.Stdout, command.Stderr = output, output
	command.ExtraFiles = []*os.File{readyWrite}
	command.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	err = command.Start()
	readyWrite.Close()
	if err != nil {
		return fmt.Errorf("start the machine: %w", err)
	}
	defer command.Process.Release()
	said, err := io.ReadAll(readyRead)
	if err != nil {
		return fmt.Errorf("start the machine: %w", err)
	}
	if string(said) != "+" {
		return fmt.Errorf("start the machine: %s", said)
	}
	return nil
}

// Stop ends the machine in good order and takes away all it had on the
// computer. It is no error if nothing runs.
func (m Machine) Stop(ctx context.Context) error {
	daemon := m.Daemon()
	if daemon.Alive() {
		if err := daemon.Signal(unix.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop the machine: %w", err)
		}
		if !daemon.Gone(stopPatience + 15*time.Second) {
			// The machine's init dies with it.
			if err := daemon.Signal(unix.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return fmt.Errorf("kill the machine: %w", err)
			}
			daemon.Gone(5 * time.Second)
		}
	}
	if err := m.owned(); err != nil {
		return err
	}
	return errors.Join(m.Clean(ctx), m.restoreSysctls())
}

// Remove deletes all that is kept of a stopped machine.
func (m Machine) Remove() error {
	if m.Daemon().Alive() {
		return errors.New("remove the machine: it still runs")
	}
	if err := m.unmountAll(); err != nil {
		return err
	}
	if err := os.RemoveAll(m.Dir()); err != nil {
		return fmt.Errorf("remove the machine: %w", err)
	}
	return nil
}

// Lock keeps two commands from working on one machine; the kernel lets go of it
// however the holder ends. Whoever holds it may hand the file on to programs it
// starts: then a killed command's leftovers end before the next one begins. It
// waits for another holder, saying so, until ctx ends.
func (m Machine) Lock(ctx context.Context, say io.Writer) (*os.File, error) {
	lock, err := m.lock("lock")
	if !errors.Is(err, ErrBusy) {
		return lock, err
	}
	fmt.Fprintf(say, "waiting for another command that is at work on machine %s\n", m.Name)
	for {
		select {
		case <-ctx.Done():
			return nil, ErrBusy
		case <-time.After(100 * time.Millisecond):
		}
		if lock, err := m.lock("lock"); !errors.Is(err, ErrBusy) {
			return lock, err
		}
	}
}

func (m Machine) lock(name string) (*os.File, error) {
	path := filepath.Join(m.Dir(), name)
	// For root alone: keys and sites' files lie in it.
	if err := errors.Join(os.MkdirAll(m.Dir(), 0o700), os.Chmod(m.Dir(), 0o700)); err != nil {
		return nil, fmt.Errorf("lock the machine: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the machine: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrBusy
		}
		return nil, fmt.Errorf("lock the machine: %w", err)
	}
	return file, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
