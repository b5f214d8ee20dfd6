package pool

import (
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Questions that btrfs answers by ioctl(2) alone (linux/btrfs.h). What changes anything goes through btrfs(8).
const (
	iocDevInfo    = 0xd000941e // _IOWR(0x94, 30, 4096 bytes)
	iocFSInfo     = 0x8400941f // _IOR(0x94, 31, 1024 bytes)
	iocSubvolInfo = 0x81f8943c // _IOR(0x94, 60, 504 bytes)
)

// subvolume is what the kernel knows of one (struct btrfs_ioctl_get_subvol_info_args).
type subvolume struct {
	ID         uint64
	_          [256]byte // name
	_          [4]uint64 // parent, folder, generation, flags
	_          [48]byte  // UUIDs
	_          [4]uint64 // transactions
	_          [2]uint64 // changed
	MadeSecond uint64
	_          [5]uint64 // rest of it, sent, received
	_          [8]uint64
}

func (s subvolume) made() time.Time { return time.Unix(int64(s.MadeSecond), 0) }

func subvolumeAt(path string) (subvolume, error) {
	var info subvolume
	err := ask(path, iocSubvolInfo, unsafe.Pointer(&info))
	return info, err
}

// fileSystemID is the UUID by which sysfs names a file system.
func fileSystemID(path string) (string, error) {
	var info struct {
		_  [2]uint64 // largest device number, count of devices
		ID [16]byte
		_  [992]byte
	}
	if err := ask(path, iocFSInfo, unsafe.Pointer(&info)); err != nil {
		return "", err
	}
	id := info.ID
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]), nil
}

// unallocated is how many bytes of the device belong to no chunk yet.
func unallocated(path string) (free, total int64, err error) {
	info := struct {
		Device      uint64
		_           [16]byte
		Used, Total uint64
		_           [4056]byte
	}{Device: 1}
	err = ask(path, iocDevInfo, unsafe.Pointer(&info))
	return int64(info.Total - info.Used), int64(info.Total), err
}

func ask(path string, question uintptr, answer unsafe.Pointer) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, folder.Fd(), question, uintptr(answer)); errno != 0 {
		return fmt.Errorf("ask btrfs about %s: %w", path, errno)
	}
	return nil
}
