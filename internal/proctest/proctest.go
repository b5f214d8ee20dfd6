// Package proctest gives tests what they need around real programs: a port that stays
// theirs, a log that is read while it is written, an account that is not root. It must
// never know a program, nor be imported by anything but tests.
package proctest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// Ports of tests are below those that Linux gives to connections on their way out
// (32768 and up, ip_local_port_range) and Kubernetes to NodePorts (30000 and up).
const (
	firstPort = 20000
	ports     = 10000
)

// Port gives a port of 127.0.0.1 at which nobody listens. It is nobody else's until the
// test ends: tests of other packages, which run beside this one, see its lock.
func Port(t testing.TB) int {
	t.Helper()
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("kubepanel-ports-%d", os.Geteuid()))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	start := rand.IntN(ports)
	for i := range ports {
		port := firstPort + (start+i)%ports
		if lock := take(t, folder, port); lock != nil {
			t.Cleanup(func() { _ = lock.Close() })
			return port
		}
	}
	t.Fatalf("none of the ports from %d to %d is free", firstPort, firstPort+ports-1)
	return 0
}

// take locks a port that nobody has; nil is that somebody does. The lock goes with the
// process, however that ends.
func take(t testing.TB, folder string, port int) *os.File {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(folder, strconv.Itoa(port)), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil { //nolint:noctx // it is closed at once
			err = l.Close()
		}
	}
	if err == nil {
		return lock
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatal(err)
	}
	return nil
}

// Address is 127.0.0.1 with such a port.
func Address(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", Port(t))
}

// Log is what a program says, read while it is written.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is all that was said until now.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Account is whom a program runs as that refuses to be root; nil is that we are not.
func Account() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	const nobody = 65534
	u, err := user.Lookup("nobody")
	if err != nil {
		return &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32) // a number, on Linux
	gid, _ := strconv.ParseUint(u.Gid, 10, 32) // the same
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// Own gives files to such an account.
func Own(paths ...string) error {
	account := Account()
	if account == nil {
		return nil
	}
	for _, path := range paths {
		if err := os.Chown(path, int(account.Uid), int(account.Gid)); err != nil {
			return err
		}
	}
	return nil
}
