package pool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Volume is one subvolume that pods write to.
type Volume struct {
	ID string
	// Size is what may be in it, in bytes, metadata included.
	Size int64
	// Used is what is in it, in bytes; 0 of one that was just made.
	Used int64
	// Path is where it lies.
	Path string
}

// Wanted is a volume to be made.
type Wanted struct {
	ID string
	// AtLeast and AtMost bound its size in bytes; AtMost 0 is no bound.
	AtLeast, AtMost int64
	// From is what it begins with: another volume's ID, or a snapshot's; "" is nothing.
	From string
	// InPlace writes files where they are instead of beside, so that a database's do not fragment; what is read
	// is no longer checked by checksums.
	InPlace bool
}

// origin keeps on a volume what it was made from, so that a second request for it can be told from one for another.
const origin = "trusted.kubepanel.from"

// Make makes a volume, or finds that it is there.
func (p *Pool) Make(ctx context.Context, w Wanted) (Volume, error) {
	if !valid(w.ID) {
		return Volume{}, fmt.Errorf("volume %q: %w", w.ID, ErrNotFound)
	}
	p.changing.Lock()
	have, err := p.find(w)
	if errors.Is(err, ErrNotFound) {
		have, err = p.make(ctx, w)
	}
	p.changing.Unlock()
	if err != nil {
		return Volume{}, err
	}
	return have, p.sync()
}

func (p *Pool) find(w Wanted) (Volume, error) {
	have, err := p.Volume(w.ID)
	if err != nil {
		return Volume{}, err
	}
	from, err := originOf(have.Path)
	if err != nil {
		return Volume{}, err
	}
	if from != w.From || have.Size < w.AtLeast || (w.AtMost > 0 && have.Size > w.AtMost) {
		return Volume{}, fmt.Errorf("volume %s of %d bytes from %q: %w", w.ID, have.Size, from, ErrDiffers)
	}
	return have, nil
}

func (p *Pool) make(ctx context.Context, w Wanted) (Volume, error) {
	if _, most, err := p.Capacity(); err != nil {
		return Volume{}, err
	} else if w.AtLeast > most {
		return Volume{}, &TooLarge{Asked: w.AtLeast, Most: most}
	}
	volume := Volume{ID: w.ID, Size: w.AtLeast, Path: p.path(volumes, w.ID)}
	return volume, p.complete(ctx, volume.Path, func(path string) error { return p.begin(ctx, path, w) })
}

// complete has a subvolume made under a name that nobody uses, and gives it its own when it is finished.
func (p *Pool) complete(ctx context.Context, path string, begin func(path string) error) error {
	folder, name := filepath.Split(path)
	unfinished := filepath.Join(folder, fresh+name)
	err := p.drop(ctx, unfinished)
	if err == nil {
		err = begin(unfinished)
	}
	if err == nil {
		err = os.Rename(unfinished, path)
	}
	if err != nil {
		return errors.Join(err, p.drop(ctx, unfinished))
	}
	return nil
}

func (p *Pool) begin(ctx context.Context, path string, w Wanted) error {
	command := []string{"subvolume", "create", path}
	if w.From != "" {
		from, err := p.originPath(w.From)
		if err != nil {
			return err
		}
		command = []string{"subvolume", "snapshot", from, path}
	}
	if err := p.note(ctx, path, w.AtLeast, command...); err != nil {
		return err
	}
	if err := unix.Setxattr(path, origin, []byte(w.From), 0); err != nil {
		return fmt.Errorf("note what %s was made from: %w", w.ID, err)
	}
	if w.From != "" {
		return nil // owner, mode and the way of writing are those of the files
	}
	// Not the umask's business. kubelet lets the pod's group in.
	if err := os.Chmod(path, 0o770); err != nil {
		return err
	}
	if w.InPlace {
		return writeInPlace(path)
	}
	return nil
}

// note makes a subvolume by a command of btrfs(8), knows it from then on, and limits what may be in it.
func (p *Pool) note(ctx context.Context, path string, size int64, command ...string) error {
	if _, err := p.btrfs(ctx, command...); err != nil {
		return err
	}
	info, err := subvolumeAt(path)
	if err != nil {
		return err
	}
	p.known[info.ID] = true
	return p.limit(ctx, path, size)
}

func (p *Pool) originPath(id string) (string, error) {
	if _, _, ok := splitSnapshot(id); ok {
		return existing(p.path(snapshots, id))
	}
	if !valid(id) {
		return "", fmt.Errorf("source %q: %w", id, ErrNotFound)
	}
	return existing(p.path(volumes, id))
}

func existing(path string) (string, error) {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%s: %w", path, ErrNotFound)
	} else if err != nil {
		return "", err
	}
	return path, nil
}

func originOf(path string) (string, error) {
	value := make([]byte, 256)
	n, err := unix.Getxattr(path, origin, value)
	if errors.Is(err, unix.ENODATA) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read what %s was made from: %w", path, err)
	}
	return string(value[:n]), nil
}

// noCopy is FS_NOCOW_FL (linux/fs.h).
const noCopy = 0x00800000

// writeInPlace sets what chattr +C does: files made below inherit it.
func writeInPlace(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	flags, err := unix.IoctlGetInt(int(folder.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return fmt.Errorf("read flags of %s: %w", path, err)
	}
	if err := unix.IoctlSetPointerInt(int(folder.Fd()), unix.FS_IOC_SETFLAGS, flags|noCopy); err != nil {
		return fmt.Errorf("set flags of %s: %w", path, err)
	}
	return nil
}

// Volume finds one.
func (p *Pool) Volume(id string) (Volume, error) {
	if !valid(id) {
		return Volume{}, fmt.Errorf("volume %q: %w", id, ErrNotFound)
	}
	path, err := existing(p.path(volumes, id))
	if err != nil {
		return Volume{}, err
	}
	usage, err := p.usage(path)
	return Volume{ID: id, Size: usage.Size, Used: usage.Used, Path: path}, err
}

// Volumes lists all, by ID.
func (p *Pool) Volumes() ([]Volume, error) {
	names, err := p.list(volumes)
	if err != nil {
		return nil, err
	}
	var all []Volume
	for _, name := range names {
		volume, err := p.Volume(name)
		if errors.Is(err, ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		all = append(all, volume)
	}
	return all, nil
}

// Resize makes a volume larger; one that is large enough stays as it is. It gives the size that it has then.
func (p *Pool) Resize(ctx context.Context, id string, size int64) (int64, error) {
	p.changing.Lock()
	volume, err := p.Volume(id)
	if err == nil && volume.Size < size {
		volume.Size, err = size, p.limit(ctx, volume.Path, size)
	}
	p.changing.Unlock()
	if err != nil {
		return 0, err
	}
	return volume.Size, p.sync()
}

// Remove takes a volume away for good; one that is gone is no error.
func (p *Pool) Remove(ctx context.Context, id string) error {
	if !valid(id) {
		return nil
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	path, err := existing(p.path(volumes, id))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if at, err := p.mounts(id); err != nil {
		return err
	} else if len(at) > 0 {
		return fmt.Errorf("volume %s is mounted at %s: %w", id, at[0].target, ErrInUse)
	}
	return p.retire(ctx, path)
}

// retire gives up a name first, so that what is half taken apart is never met under it.
func (p *Pool) retire(ctx context.Context, path string) error {
	folder, name := filepath.Split(path)
	nameless := filepath.Join(folder, gone+name)
	if err := p.drop(ctx, nameless); err != nil {
		return err
	}
	if err := os.Rename(path, nameless); err != nil {
		return err
	}
	if err := p.sync(); err != nil {
		return err
	}
	return p.destroy(ctx, nameless)
}

// limit sets how much may be in a subvolume.
func (p *Pool) limit(ctx context.Context, path string, size int64) error {
	_, err := p.btrfs(ctx, "qgroup", "limit", strconv.FormatInt(size, 10), path)
	return err
}

// drop removes a half-made subvolume, if there is one.
func (p *Pool) drop(ctx context.Context, path string) error {
	if _, err := existing(path); errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return p.destroy(ctx, path)
}
