package shell

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// startOnTerminal starts a program in a session of its own, on a terminal. What it
// returns can be closed while it is read, other than what the library returns.
func startOnTerminal(cmd *exec.Cmd, size *pty.Winsize) (*os.File, error) {
	blocking, err := pty.StartWithSize(cmd, size)
	if err != nil {
		return nil, err
	}
	defer func() { _ = blocking.Close() }()
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, fmt.Errorf("take the terminal over: %w", err)
	}
	return os.NewFile(uintptr(fd), "terminal"), nil
}

// resize tells the program's terminal how large the client's is.
func resize(terminal *os.File, size sizeChange) error {
	raw, err := terminal.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{
			Row: uint16(size.Rows), Col: uint16(size.Columns), Xpixel: uint16(size.Width), Ypixel: uint16(size.Height),
		})
	})
	if err != nil {
		return err
	}
	return set
}
