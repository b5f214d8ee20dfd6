package phase

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"kubepanel.io/kubepanel/node/machine"
)

// holdLock names the file that this test's program, started by itself, locks.
const holdLock = "KUBEPANEL_TEST_HOLD_LOCK"

func TestMain(m *testing.M) {
	if path := os.Getenv(holdLock); path != "" {
		hold(path)
	}
	os.Exit(m.Run())
}

// hold is another program that has a lock, until its standard input ends.
func hold(path string) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		err = unix.FcntlFlock(file.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	os.Exit(0)
}

// A lock of one's own process is none to fcntl, so another program takes it.
func TestAnotherAptIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if holder, err := lockHolder(path); holder != 0 || err != nil {
		t.Errorf("lockHolder(no file) = %d, %v; want nobody", holder, err)
	}
	if err := machine.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), holdLock+"="+path)
	input, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if said, err := bufio.NewReader(output).ReadString('\n'); said != "held\n" {
		t.Fatalf("the other program said %q, %v; want that it holds the lock", said, err)
	}
	if holder, err := lockHolder(path); holder != other.Process.Pid || err != nil {
		t.Errorf("lockHolder() = %d, %v; want %d", holder, err, other.Process.Pid)
	}
	input.Close()
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
	if holder, err := lockHolder(path); holder != 0 || err != nil {
		t.Errorf("lockHolder() after it ended = %d, %v; want nobody", holder, err)
	}
}
