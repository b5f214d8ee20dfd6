// Package pooltest gives tests a real pool: a btrfs in a file, in a mount namespace of the test's own, so that a
// killed test leaves neither a mount nor a loop device. Production code never imports it.
package pooltest

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
)

const inside = "KUBEPANEL_POOLTEST_INSIDE"

// Main runs a package's tests in the namespace; call it from TestMain.
func Main(m *testing.M) int {
	if why := Missing(); why != "" || os.Getenv(inside) != "" {
		return m.Run()
	}
	command := exec.Command("/proc/self/exe", os.Args[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), inside+"=1")
	// Go makes the new namespace's mounts private.
	command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := command.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ended.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Missing says what a real pool needs and isn't here; "" is nothing.
func Missing() string {
	if os.Geteuid() != 0 {
		return "a pool needs root"
	}
	if _, err := exec.LookPath("mkfs.btrfs"); err != nil {
		return "a pool needs mkfs.btrfs: install btrfs-progs"
	}
	_ = exec.Command("modprobe", "--all", "btrfs", "loop").Run() // they may be built in
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return "a pool needs loop devices: modprobe loop"
	}
	if _, err := os.Stat("/sys/fs/btrfs"); err != nil {
		return "a pool needs a kernel with btrfs"
	}
	return ""
}

// Options are those of a new pool of at most that many MiB.
func Options(t testing.TB, mebibytes int64) pool.Options {
	t.Helper()
	if why := Missing(); why != "" {
		t.Skip(why)
	}
	folder := t.TempDir()
	return pool.Options{
		Mount: filepath.Join(folder, "pool"), File: filepath.Join(folder, "pool.btrfs"), Limit: mebibytes << 20,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// Open opens a pool until the test ends.
func Open(t testing.TB, options pool.Options) *pool.Pool {
	t.Helper()
	p, err := pool.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return p
}
