package phase

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// aptPatience covers a whole upgrade by somebody else: a new Debian machine
// often begins with one.
const aptPatience = 10 * time.Minute

// awaitApt waits until no other apt works on this computer: it would make ours
// fail at once.
func (n *Node) awaitApt(ctx context.Context) error {
	said := false
	return await(ctx, aptPatience, func(context.Context) error {
		for _, path := range []string{"/var/lib/dpkg/lock-frontend", "/var/lib/apt/lists/lock"} {
			holder, err := lockHolder(path)
			if err != nil {
				return err
			}
			if holder == 0 {
				continue
			}
			if !said {
				said = true
				fmt.Fprintf(n.out, "    waiting for another apt (process %d) to end\n", holder)
			}
			return fmt.Errorf("another apt (process %d) holds %s: wait for it, or end it", holder, path)
		}
		return nil
	})
}

// lockHolder is the process that has a record lock (fcntl(2)) on a file; 0 is nobody.
func lockHolder(path string) (int, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look whether apt works: %w", err)
	}
	defer file.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(file.Fd(), unix.F_GETLK, &lock); err != nil {
		return 0, fmt.Errorf("look whether apt works: %w", err)
	}
	if lock.Type == unix.F_UNLCK {
		return 0, nil
	}
	return int(lock.Pid), nil
}
