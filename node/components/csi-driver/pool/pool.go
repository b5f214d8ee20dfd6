// Package pool keeps volumes and snapshots as subvolumes of one btrfs file system: on a device, or in a file that
// grows with what is in it. What is on the disk is all it knows, so a process that dies at any line leaves nothing
// that the next one does not understand. It must never hear of Kubernetes or CSI.
package pool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Folders of the file system. A subvolume gets its name there when it is complete, by rename(2), and loses it in the
// same way before it is taken apart: what is half made or half gone has a name that begins with a dot, as no ID does.
const (
	volumes   = "volumes"
	snapshots = "snapshots"
	half      = "."
	fresh     = half + "new."
	gone      = half + "gone."
)

var (
	ErrNotFound = errors.New("not found")
	// ErrDiffers: there is one of that name, made of something else or of another size.
	ErrDiffers = errors.New("exists, and is another one")
	ErrInUse   = errors.New("in use")
)

// TooLarge refuses a volume that the pool could not hold if nothing else were in it. Sizes are limits, so those of all
// volumes together may well be more than that; a limit that can't be reached even alone is a promise that nobody can keep.
type TooLarge struct {
	Asked, Most int64 // bytes
}

func (e *TooLarge) Error() string {
	return fmt.Sprintf("%.1f GiB are asked for and %.1f GiB can be had at most: free room on the disk, raise --pool-size, or ask for less",
		float64(e.Asked)/(1<<30), math.Floor(float64(e.Most)/(1<<30)*10)/10)
}

// Options say where the pool is.
type Options struct {
	// Mount is the folder where it is mounted.
	Mount string
	// Device holds it; without one, File does.
	Device string
	File   string
	// Limit is the most that the file may grow to, in bytes; 0: as far as the disk has room.
	Limit int64
	// Spare is what growing leaves free on the disk, in bytes.
	Spare int64
	Log   *slog.Logger
}

// Pool is the mounted file system.
type Pool struct {
	Options
	// One change at a time: each is some milliseconds of the kernel's, and the guard must not meet a half-made volume.
	changing sync.Mutex
	// known are the subvolumes that we made, by the kernel's number; false: removed, and the kernel still takes it apart.
	known map[uint64]bool
	// file is the open backing file, device the loop device that shows it; nil with Options.Device.
	file, device *os.File
	// lock is held by this process and by the commands that it runs: what a killed process began ends before the next
	// one looks.
	lock  *os.File
	sysfs string
}

// Open makes the pool if there is none, mounts it if it isn't, and clears what a killed process left half made.
func Open(ctx context.Context, options Options) (*Pool, error) {
	p := &Pool{Options: options, known: map[uint64]bool{}}
	if err := p.open(ctx); err != nil {
		p.closeFiles()
		return nil, fmt.Errorf("open the pool of volumes: %w", err)
	}
	return p, nil
}

func (p *Pool) open(ctx context.Context) error {
	if err := os.MkdirAll(p.Mount, 0o711); err != nil {
		return err
	}
	var err error
	if p.lock, err = lock(p.Mount + ".lock"); err != nil {
		return err
	}
	source, err := p.source(ctx)
	if err != nil {
		return err
	}
	mounted, err := isBtrfs(p.Mount)
	if err != nil {
		return err
	}
	if !mounted {
		if err := mount(source, p.Mount, p.Device == ""); err != nil {
			return err
		}
	}
	return p.ready(ctx)
}

// ready turns what is mounted into a pool.
func (p *Pool) ready(ctx context.Context) error {
	id, err := fileSystemID(p.Mount)
	if err != nil {
		return err
	}
	p.sysfs = filepath.Join("/sys/fs/btrfs", id, "qgroups")
	if _, err := os.Stat(p.sysfs); errors.Is(err, os.ErrNotExist) {
		if _, err := p.btrfs(ctx, "quota", "enable", p.Mount); err != nil {
			return err
		}
	}
	for _, name := range []string{volumes, snapshots} {
		if err := os.Mkdir(p.path(name), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	if err := p.fill(ctx); err != nil {
		return err
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	if err := p.learn(); err != nil {
		return err
	}
	return p.clear(ctx)
}

// learn notes all subvolumes that we gave a name.
func (p *Pool) learn() error {
	for _, folder := range []string{volumes, snapshots} {
		names, err := p.entries(folder)
		if err != nil {
			return err
		}
		for _, name := range names {
			info, err := subvolumeAt(p.path(folder, name))
			if err != nil {
				return err
			}
			p.known[info.ID] = true
		}
	}
	return nil
}

// clear removes what was being made or removed when the last process ended.
func (p *Pool) clear(ctx context.Context) error {
	for _, folder := range []string{volumes, snapshots} {
		names, err := p.entries(folder)
		if err != nil {
			return err
		}
		for _, name := range names {
			if !strings.HasPrefix(name, half) {
				continue
			}
			p.Log.Info("removing what was left half done", "in", folder, "name", name)
			if err := p.destroy(ctx, p.path(folder, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Unmount gives the file system back. Pods that have a volume of it keep theirs.
func (p *Pool) Unmount() error {
	p.changing.Lock()
	defer p.changing.Unlock()
	p.closeFiles()
	return unix.Unmount(p.Mount, 0)
}

func (p *Pool) closeFiles() {
	for _, file := range []*os.File{p.file, p.device, p.lock} {
		if file != nil {
			file.Close()
		}
	}
}

func (p *Pool) path(parts ...string) string {
	return filepath.Join(append([]string{p.Mount}, parts...)...)
}

// list names what is complete in one of our folders, in order.
func (p *Pool) list(folder string) ([]string, error) {
	names, err := p.entries(folder)
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, half) }), err
}

func (p *Pool) entries(folder string) ([]string, error) {
	entries, err := os.ReadDir(p.path(folder))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", folder, err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, nil
}

// sync brings what was done to the disk: a volume that Kubernetes has heard of survives a power cut.
func (p *Pool) sync() error {
	folder, err := os.Open(p.Mount)
	if err != nil {
		return err
	}
	defer folder.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(folder.Fd())))
}

// lock waits until no other process works on the pool.
func lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		// A signal may interrupt the wait; that is no answer.
		if err = unix.Flock(int(file.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return file, nil
}

// btrfs runs btrfs(8) and gives what it said.
func (p *Pool) btrfs(ctx context.Context, args ...string) (string, error) {
	return p.run(ctx, "btrfs", args...)
}

func (p *Pool) run(ctx context.Context, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	var output, said bytes.Buffer
	command.Stdout, command.Stderr = &output, &said
	command.ExtraFiles = []*os.File{p.lock}
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return output.String(), nil
}
