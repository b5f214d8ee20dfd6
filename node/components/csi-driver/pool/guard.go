package pool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// growEvery is how often the pool's room is looked at; see leastRoom.
	growEvery = 100 * time.Millisecond
	// guardEvery is how long a stranger's subvolume may stay unseen.
	guardEvery = time.Second
)

// Keep grows the pool, and guards it, until ctx ends.
func (p *Pool) Keep(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { p.every(ctx, growEvery, p.grow) })
	both.Go(func() {
		p.every(ctx, guardEvery, func(ctx context.Context) error { return errors.Join(p.guard(ctx), p.recount(ctx)) })
	})
	both.Wait()
}

// every does something again and again. It tells of failures, but not of each.
func (p *Pool) every(ctx context.Context, pause time.Duration, do func(context.Context) error) {
	const sayEvery = time.Minute
	var said time.Time
	for tick := time.Tick(pause); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		if err := do(ctx); err != nil && ctx.Err() == nil && time.Since(said) > sayEvery {
			said = time.Now()
			p.Log.Error("keep the pool", "error", err)
		}
	}
}

// guard removes subvolumes that we did not make. Whoever may make a folder on a btrfs may make a subvolume there
// (btrfs-subvolume(8)), and a new one has no quota: that is a way round the limit of a volume. Its quota is
// closed first, so nothing more gets into it through files that are open.
func (p *Pool) guard(ctx context.Context) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	return p.expelStrangers(ctx)
}

func (p *Pool) expelStrangers(ctx context.Context) error {
	quotas, err := os.ReadDir(p.sysfs)
	if err != nil {
		return fmt.Errorf("list quotas: %w", err)
	}
	there := map[uint64]bool{}
	var failed error
	for _, entry := range quotas {
		id, ok := subvolumeOf(entry.Name())
		if !ok {
			continue
		}
		there[id] = true
		if _, ours := p.known[id]; !ours {
			failed = errors.Join(failed, p.expel(ctx, id))
		}
	}
	for id, alive := range p.known {
		if !alive && !there[id] {
			delete(p.known, id) // the kernel is done with it
		}
	}
	return failed
}

// firstSubvolume is the least number of a subvolume; lower ones are btrfs' own trees.
const firstSubvolume = 256

// subvolumeOf reads the name of a quota in sysfs, such as 0_256: level 0 is that of subvolumes.
func subvolumeOf(quota string) (uint64, bool) {
	number, ok := strings.CutPrefix(quota, "0_")
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseUint(number, 10, 64)
	return id, err == nil && id >= firstSubvolume
}

func (p *Pool) expel(ctx context.Context, id uint64) error {
	number := strconv.FormatUint(id, 10)
	if err := p.freeze(ctx, id); err != nil {
		return err
	}
	remove := func() error {
		_, err := p.btrfs(ctx, "subvolume", "delete", "--subvolid", number, p.Mount)
		return err
	}
	err := remove()
	if err != nil {
		// Kernels before 6.11 keep the quota of a subvolume that is gone.
		if _, destroyed := p.btrfs(ctx, "qgroup", "destroy", "0/"+number, p.Mount); destroyed == nil {
			return nil
		}
		err = p.withRoom(ctx, number, remove)
	}
	if err != nil {
		return err // one with others inside goes after them, at the next look
	}
	p.Log.Warn("removed a subvolume that a pod made in its volume: it would be a way round its quota", "subvolume", id)
	p.known[id] = false
	return nil
}

// removalRoom is what btrfs wants to have free before it removes anything, in bytes and generously.
const removalRoom = 1 << 20

// freeze keeps more from getting in, through files that are open. What is inside may go.
func (p *Pool) freeze(ctx context.Context, id uint64) error {
	used, err := p.readNumber(id, "referenced")
	if errors.Is(err, ErrNotFound) {
		return nil // gone by itself
	}
	if err != nil {
		return err
	}
	_, err = p.btrfs(ctx, "qgroup", "limit", strconv.FormatInt(used+removalRoom, 10), "0/"+strconv.FormatUint(id, 10), p.Mount)
	return err
}

// withRoom does something in the volume that holds a subvolume, which may be full, and removing takes room too.
func (p *Pool) withRoom(ctx context.Context, number string, do func() error) error {
	where, err := p.btrfs(ctx, "inspect-internal", "subvolid-resolve", number, p.Mount)
	if err != nil {
		return err
	}
	// The first two names are ours; all behind them is the pod's.
	parts := strings.SplitN(where, "/", 3)
	if len(parts) < 3 || parts[0] != volumes {
		return fmt.Errorf("subvolume %s is in no volume", number)
	}
	volume, err := p.Volume(parts[1])
	if err != nil {
		return err
	}
	if err := p.limit(ctx, volume.Path, volume.Size+removalRoom); err != nil {
		return err
	}
	return errors.Join(do(), p.limit(ctx, volume.Path, volume.Size))
}

// destroy removes a subvolume of ours, and first what a pod made inside since the last look.
func (p *Pool) destroy(ctx context.Context, path string) error {
	info, err := subvolumeAt(path)
	if err != nil {
		return err
	}
	if _, err := p.btrfs(ctx, "qgroup", "limit", "none", path); err != nil {
		return err
	}
	const tries = 100 // a level of nesting each
	for range tries {
		if _, err = p.btrfs(ctx, "subvolume", "delete", path); err == nil {
			p.known[info.ID] = false
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		if expelled := p.expelStrangers(ctx); expelled != nil {
			err = errors.Join(err, expelled)
		}
	}
	return err
}

// recount has the kernel count anew when it says that its figures may be wrong, as after removing a very large volume.
func (p *Pool) recount(ctx context.Context) error {
	counted, err := p.Counted()
	if err != nil || counted {
		return err
	}
	_, err = p.btrfs(ctx, "quota", "rescan", p.Mount)
	return err
}

// Counted tells whether the kernel stands by what it counted.
func (p *Pool) Counted() (bool, error) {
	state, err := p.readFact("inconsistent")
	return state == "0", err
}
