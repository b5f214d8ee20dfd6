package keeper

import (
	"fmt"
	"os"
	"syscall"
)

// What to be told of, and to be told more than once: linux/fcntl.h. The syscall
// package has the command and not these.
const (
	noticeCreate = 0x00000004 // DN_CREATE
	noticeRename = 0x00000010 // DN_RENAME
	noticeAlways = 0x80000000 // DN_MULTISHOT
)

// watch has the kernel send SIGIO when a name in the folder changes. These are
// directory notices (fcntl(2), F_NOTIFY) and not inotify, of which a user of the
// node has 128 by default: the containers of all sites would share that number.
func watch(folder string) (*os.File, error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	// kubelet renames a link when all files of a change are there.
	for _, c := range [][2]uintptr{
		{syscall.F_SETOWN, uintptr(syscall.Getpid())}, {syscall.F_NOTIFY, noticeCreate | noticeRename | noticeAlways},
	} {
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), c[0], c[1]); errno != 0 {
			_ = f.Close()
			return nil, fmt.Errorf("be told of changes in %s: %w", folder, errno)
		}
	}
	return f, nil
}
