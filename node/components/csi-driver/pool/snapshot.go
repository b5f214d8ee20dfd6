package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Snapshot is a volume as it was at one moment.
type Snapshot struct {
	ID     string
	Volume string
	// Size is that of the volume at the time, in bytes: a volume made from it is large enough then.
	Size int64
	Made time.Time
}

// Snap takes a snapshot, or finds that it was taken.
func (p *Pool) Snap(ctx context.Context, name, volume string) (Snapshot, error) {
	p.changing.Lock()
	have, err := p.named(name)
	switch {
	case err == nil && have.Volume != volume:
		err = fmt.Errorf("snapshot %s of volume %s: %w", name, have.Volume, ErrDiffers)
	case errors.Is(err, ErrNotFound):
		have, err = p.snap(ctx, SnapshotID(name, volume), volume)
	}
	p.changing.Unlock()
	if err != nil {
		return Snapshot{}, err
	}
	return have, p.sync()
}

// named finds a snapshot by its name, of whatever volume.
func (p *Pool) named(name string) (Snapshot, error) {
	ids, err := p.list(snapshots)
	if err != nil {
		return Snapshot{}, err
	}
	at := slices.IndexFunc(ids, func(id string) bool { return strings.HasPrefix(id, ID(name)+"@") })
	if at < 0 {
		return Snapshot{}, fmt.Errorf("snapshot %s: %w", name, ErrNotFound)
	}
	return p.Snapshot(ids[at])
}

func (p *Pool) snap(ctx context.Context, id, of string) (Snapshot, error) {
	volume, err := p.Volume(of)
	if err != nil {
		return Snapshot{}, err
	}
	err = p.complete(ctx, p.path(snapshots, id), func(path string) error {
		// Nobody writes to it: the limit only remembers the size.
		return p.note(ctx, path, volume.Size, "subvolume", "snapshot", "-r", volume.Path, path)
	})
	if err != nil {
		return Snapshot{}, err
	}
	return p.Snapshot(id)
}

// Snapshot finds one.
func (p *Pool) Snapshot(id string) (Snapshot, error) {
	_, volume, ok := splitSnapshot(id)
	if !ok {
		return Snapshot{}, fmt.Errorf("snapshot %q: %w", id, ErrNotFound)
	}
	path, err := existing(p.path(snapshots, id))
	if err != nil {
		return Snapshot{}, err
	}
	info, err := subvolumeAt(path)
	if err != nil {
		return Snapshot{}, err
	}
	size, err := p.readNumber(info.ID, "max_referenced")
	return Snapshot{ID: id, Volume: volume, Size: size, Made: info.made()}, err
}

// Snapshots lists all, by ID.
func (p *Pool) Snapshots() ([]Snapshot, error) {
	names, err := p.list(snapshots)
	if err != nil {
		return nil, err
	}
	var all []Snapshot
	for _, name := range names {
		snapshot, err := p.Snapshot(name)
		if errors.Is(err, ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		all = append(all, snapshot)
	}
	return all, nil
}

// RemoveSnapshot takes a snapshot away; one that is gone is no error.
func (p *Pool) RemoveSnapshot(ctx context.Context, id string) error {
	if _, _, ok := splitSnapshot(id); !ok {
		return nil
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	path, err := existing(p.path(snapshots, id))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.retire(ctx, path)
}
