package pool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	// label marks a file system as ours.
	label = "kubepanel"
	// firstSize of the file, in bytes: btrfs and the first sites.
	firstSize = 2 << 30
)

// source is the block device with the file system, made if there is none.
func (p *Pool) source(ctx context.Context) (string, error) {
	if p.Device != "" {
		return p.Device, p.prepareDevice(ctx)
	}
	if err := p.prepareFile(ctx); err != nil {
		return "", err
	}
	var err error
	if p.file, err = os.OpenFile(p.File, os.O_RDWR, 0); err != nil {
		return "", err
	}
	if p.device, err = attach(p.file); err != nil {
		return "", err
	}
	return p.device.Name(), nil
}

func (p *Pool) prepareDevice(ctx context.Context) error {
	info, err := os.Stat(p.Device)
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeDevice == 0 || info.Mode()&os.ModeCharDevice != 0 {
		return fmt.Errorf("%s is no block device: name a disk, a partition or a logical volume", p.Device)
	}
	kind, found, err := superblock(p.Device)
	if err != nil {
		return err
	}
	if kind && found == label {
		return nil
	}
	// mkfs itself refuses a device that holds anything, and says what.
	if err := p.format(ctx, p.Device); err != nil {
		return fmt.Errorf("%w\nif nothing on it is wanted any more, run 'wipefs --all %s'", err, p.Device)
	}
	return nil
}

// prepareFile gives the file its name when all in it is complete.
func (p *Pool) prepareFile(ctx context.Context) error {
	if _, err := os.Stat(p.File); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	unfinished := p.File + ".new"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(unfinished, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	size := int64(firstSize)
	if p.Limit > 0 {
		size = min(size, p.Limit)
	}
	if err := allocate(file, 0, size); err != nil {
		return errors.Join(fmt.Errorf("reserve %d MiB for volumes: %w", size>>20, err), os.Remove(unfinished))
	}
	if err := p.format(ctx, unfinished); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(unfinished, p.File); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(p.File))
}

// allocate takes room on the disk now: a write into a file with holes could later find the disk full, which for the
// file system inside is a broken disk.
func allocate(file *os.File, from, size int64) error {
	err := unix.Fallocate(int(file.Fd()), 0, from, size)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return file.Truncate(from + size)
	}
	return err
}

func (p *Pool) format(ctx context.Context, path string) error {
	_, err := p.run(ctx, "mkfs.btrfs", "--quiet", "--label", label, path)
	return err
}

// superblock tells whether a device holds a btrfs, and its label (btrfs' on-disk format, superblock).
func superblock(device string) (is bool, name string, err error) {
	file, err := os.Open(device)
	if err != nil {
		return false, "", err
	}
	defer file.Close()
	block := make([]byte, 4096)
	if _, err := file.ReadAt(block, 64<<10); errors.Is(err, io.EOF) {
		return false, "", fmt.Errorf("%s is too small", device)
	} else if err != nil {
		return false, "", err
	}
	text, _, _ := bytes.Cut(block[0x12b:0x12b+256], []byte{0})
	return bytes.Equal(block[0x40:0x48], []byte("_BHRfS_M")), string(text), nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func isBtrfs(path string) (bool, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	if stat.Type != unix.BTRFS_SUPER_MAGIC {
		return false, nil
	}
	// The folder itself may lie on a btrfs: only the top of one has this number.
	var here, above unix.Stat_t
	if err := errors.Join(unix.Stat(path, &here), unix.Stat(filepath.Dir(path), &above)); err != nil {
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	return here.Dev != above.Dev, nil
}

// mount keeps programs on volumes from becoming root, and what is freed from making holes in the pool's file.
func mount(source, target string, keep bool) error {
	options := ""
	if keep {
		options = "nodiscard"
	}
	if err := unix.Mount(source, target, "btrfs", unix.MS_NOATIME|unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount %s on %s: %w", source, target, err)
	}
	return nil
}
