package pool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// Room that no chunk has taken yet: below it the file grows. A fast disk writes less than this in the time
	// between two looks; btrfs takes chunks of up to 1 GiB, for metadata two.
	leastRoom = 1 << 30
	mostRoom  = 8 << 30
	// leastStep keeps a disk that is nearly full from being filled in crumbs.
	leastStep = 64 << 20
)

// fill lets the file system use all that its device has; a process may have died between making the file larger and this.
func (p *Pool) fill(ctx context.Context) error {
	if p.device != nil {
		if err := unix.IoctlSetInt(int(p.device.Fd()), unix.LOOP_SET_CAPACITY, 0); err != nil {
			return fmt.Errorf("tell %s that its file grew: %w", p.device.Name(), err)
		}
	}
	_, err := p.btrfs(ctx, "filesystem", "resize", "max", p.Mount)
	return err
}

// grow makes the file larger when little of it is left. That the disk has no room for it is no error: sites then hear
// "no space left", and all that they wrote is safe.
func (p *Pool) grow(ctx context.Context) error {
	if p.file == nil {
		return nil
	}
	free, total, err := unallocated(p.Mount)
	if err != nil {
		return err
	}
	step := min(max(total/8, leastRoom), mostRoom)
	if free >= step {
		return nil
	}
	disk, err := freeOn(filepath.Dir(p.File))
	if err != nil {
		return err
	}
	step = min(step, disk-p.Spare)
	if p.Limit > 0 {
		step = min(step, p.Limit-total)
	}
	step &^= 1<<20 - 1
	if step < leastStep {
		return nil
	}
	err = allocate(p.file, total, step)
	if errors.Is(err, unix.ENOSPC) {
		return nil // somebody else was faster; what fallocate took it gave back
	}
	if err != nil {
		return fmt.Errorf("make %s larger: %w", p.File, err)
	}
	if err := p.fill(ctx); err != nil {
		return err
	}
	p.Log.Info("pool grew", "bytes", total+step)
	return nil
}

// Capacity is how many bytes are used and how many could be, as far as the disk allows today.
func (p *Pool) Capacity() (used, most int64, err error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(p.Mount, &stat); err != nil {
		return 0, 0, fmt.Errorf("look at %s: %w", p.Mount, err)
	}
	total := int64(stat.Blocks) * stat.Bsize
	used = total - int64(stat.Bfree)*stat.Bsize
	most = used + int64(stat.Bavail)*stat.Bsize
	if p.file == nil {
		return used, most, nil
	}
	disk, err := freeOn(filepath.Dir(p.File))
	if err != nil {
		return 0, 0, err
	}
	more := max(0, disk-p.Spare)
	if p.Limit > 0 {
		more = min(more, max(0, p.Limit-total))
	}
	return used, most + more, nil
}

func freeOn(folder string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return 0, fmt.Errorf("look at the disk below %s: %w", folder, err)
	}
	return int64(stat.Bavail) * stat.Bsize, nil
}

// readFact reads one of the small files in which the kernel tells about quotas.
func (p *Pool) readFact(parts ...string) (string, error) {
	data, err := os.ReadFile(filepath.Join(append([]string{p.sysfs}, parts...)...))
	return strings.TrimSpace(string(data)), err
}
