package pool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// loopMajor is the number of the loop driver (Documentation/admin-guide/devices.txt).
const loopMajor = 7

// attach shows a file as a block device, which goes by itself with its last user: a machine that dies leaves none.
// The caller closes the device once it is mounted.
func attach(file *os.File) (*os.File, error) {
	if device, err := attached(file); device != nil || err != nil {
		return device, err
	}
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("attach %s: this kernel offers no loop devices (modprobe loop): %w", file.Name(), err)
	}
	defer control.Close()
	config := unix.LoopConfig{
		Fd:   uint32(file.Fd()),
		Size: 4096, // of a block: that of disks, and needed for direct access
		Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR | unix.LO_FLAGS_DIRECT_IO},
	}
	// The devices belong to the whole computer: somebody else may take the free one first.
	for range 100 {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("find a free loop device: %w", err)
		}
		device, err := openLoop(number)
		if err != nil {
			return nil, err
		}
		err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
		if err == nil {
			return device, nil
		}
		device.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("attach %s to a loop device: %w", file.Name(), err)
		}
	}
	return nil, fmt.Errorf("attach %s: every free loop device was taken by somebody else first", file.Name())
}

func openLoop(number int) (*os.File, error) {
	path := "/dev/loop" + strconv.Itoa(number)
	err := unix.Mknod(path, unix.S_IFBLK|0o600, int(unix.Mkdev(loopMajor, uint32(number))))
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	device, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open a loop device: %w", err)
	}
	return device, nil
}

// attached finds the device that shows this very file: names may differ from one mount namespace to the next.
func attached(file *os.File) (*os.File, error) {
	var want unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &want); err != nil {
		return nil, fmt.Errorf("look at %s: %w", file.Name(), err)
	}
	inUse, err := filepath.Glob("/sys/block/loop*/loop")
	if err != nil {
		return nil, fmt.Errorf("list loop devices: %w", err)
	}
	for _, path := range inUse {
		device, err := os.OpenFile("/dev/"+filepath.Base(filepath.Dir(path)), os.O_RDWR, 0)
		if err != nil {
			continue // somebody else's, and gone meanwhile
		}
		info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
		if err == nil && info.Device == want.Dev && info.Inode == want.Ino {
			return device, nil
		}
		device.Close()
	}
	return nil, nil
}
