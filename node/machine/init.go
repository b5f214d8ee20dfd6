package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Descriptors that the daemon hands to the machine's first process.
const (
	goFD    = 3 // a byte arrives when cgroups and network are ready
	readyFD = 4 // a byte goes out when the machine is built; else the error's text
)

// Boot is the machine's first process. It waits for the daemon, builds the
// machine around itself and becomes the supervisor; it returns only on error.
func (m Machine) Boot(ctx context.Context) error {
	ready := os.NewFile(readyFD, "ready")
	err := m.boot(ctx, ready)
	fmt.Fprint(ready, err)
	return err
}

func (m Machine) boot(ctx context.Context, ready io.Writer) error {
	// A cgroup namespace belongs to one thread; exec below makes it the only one.
	runtime.LockOSThread()
	unix.CloseOnExec(goFD)
	unix.CloseOnExec(readyFD)
	signal := make([]byte, 1)
	if _, err := io.ReadFull(os.NewFile(goFD, "go"), signal); err != nil {
		return errors.New("the outside process died before the machine was ready")
	}
	settings, _, err := m.Settings()
	if err != nil {
		return err
	}
	trees, err := hierarchies()
	if err != nil {
		return err
	}
	// Before the root is entered: the computer's files are seen until then.
	resolvers := Resolvers()
	if err := configure(ctx, settings); err != nil {
		return err
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("enter a cgroup namespace: %w", err)
	}
	if err := m.enterRoot(trees); err != nil {
		return err
	}
	if err := m.settle(settings, resolvers); err != nil {
		return err
	}
	// Asked for at the start too, but a thread does not inherit it from the one that was started. The word to
	// the outside process comes after it: if that one is dead by now, writing fails.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie the machine to its outside process: %w", err)
	}
	if _, err := ready.Write([]byte{'+'}); err != nil {
		return fmt.Errorf("tell the outside process: %w", err)
	}
	arguments := []string{"node", "supervise", "--config", m.Supervised()}
	if err := unix.Exec(m.Executable(), arguments, environment()); err != nil {
		return fmt.Errorf("become the supervisor: %w", err)
	}
	return nil
}

// settle names the machine and sets what belongs to its network namespace.
func (m Machine) settle(settings Settings, resolvers []string) error {
	if err := unix.Sethostname([]byte(m.Hostname())); err != nil {
		return fmt.Errorf("name the machine: %w", err)
	}
	if err := m.nameFiles(settings, resolvers); err != nil {
		return err
	}
	if settings.IPv6 {
		if err := writeSysctl("net/ipv6/conf/all/forwarding", "1"); err != nil {
			return err
		}
	}
	return writeSysctl("net/ipv4/ip_forward", "1")
}

// environment is what programs inside get: nothing of whoever ran 'up'.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
}
