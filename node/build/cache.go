package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// keepUnused is how long an artefact that a newer one has replaced is kept
// after its last use: long enough for a branch that is switched back to.
const keepUnused = 14 * 24 * time.Hour

// Kinds of artefacts, which are also the names of the cache's folders.
const (
	KindBinaries = "bin"
	KindImages   = "images"
)

// item names one artefact: the same name with another key is another artefact.
type item struct {
	kind string
	name string // may hold ':', as in php:8.4
	key  key
}

func (i item) file() string {
	file := strings.ReplaceAll(i.name, ":", "-") + "-" + i.key.short()
	if i.kind == KindImages {
		file += ".tar"
	}
	return file
}

// cache is a folder of finished artefacts. One that is there is complete: it is
// made under tmp/ and moved to its name at the end, so a process killed at any
// line leaves either nothing or all of it.
type cache struct{ dir string }

func openCache(dir string) (*cache, error) {
	for _, sub := range []string{KindBinaries, KindImages, "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("prepare the cache: %w", err)
		}
	}
	return &cache{dir: dir}, nil
}

func (c *cache) path(i item) string { return filepath.Join(c.dir, i.kind, i.file()) }

// find looks for a finished artefact and notes that it is in use.
func (c *cache) find(i item) (string, bool) {
	path := c.path(i)
	if _, err := os.Lstat(path); err != nil {
		return "", false
	}
	// The time is only for Trim; a read-only cache is as good.
	_ = os.Chtimes(path, time.Time{}, time.Now())
	return path, true
}

// put has an artefact made at a temporary path and moves it to its name.
func (c *cache) put(i item, build func(tmp string) error) (string, error) {
	work, err := os.MkdirTemp(filepath.Join(c.dir, "tmp"), i.file()+".")
	if err != nil {
		return "", fmt.Errorf("make room for %s: %w", i.name, err)
	}
	// Left behind on failure it would only cost space until the next run clears tmp/.
	defer func() { _ = os.RemoveAll(work) }()
	made := filepath.Join(work, "made")
	if err := build(made); err != nil {
		return "", err
	}
	if err := syncTree(made); err != nil {
		return "", fmt.Errorf("keep %s: %w", i.name, err)
	}
	path := c.path(i)
	if err := os.Rename(made, path); err != nil {
		return "", fmt.Errorf("keep %s: %w", i.name, err)
	}
	return path, nil
}

// syncTree brings files to the disk before they get their final name, lest a
// power cut leave a complete-looking artefact with empty files.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || (!d.IsDir() && !d.Type().IsRegular()) {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// lockPause is short beside a build, and looking costs next to nothing.
const lockPause = 100 * time.Millisecond

// lock waits until no other process builds into this cache or ctx ends, and clears
// what one that was killed left behind. It looks again and again: a wait within
// flock(2) could not be called off.
func (c *cache) lock(ctx context.Context, log *progress) (func(), error) {
	unlock, err := c.tryLock()
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return unlock, err
	}
	log.line("waiting for another build to end")
	for tick := time.Tick(lockPause); ; {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for another build to end: %w", ctx.Err())
		case <-tick:
		}
		if unlock, err = c.tryLock(); !errors.Is(err, syscall.EWOULDBLOCK) {
			return unlock, err
		}
	}
}

// tryLock is lock without waiting: syscall.EWOULDBLOCK says another has it.
func (c *cache) tryLock() (func(), error) {
	f, err := os.OpenFile(filepath.Join(c.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the cache: %w", err)
	}
	for {
		// A signal may interrupt the wait; that is no answer.
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		err = clearFolder(filepath.Join(c.dir, "tmp"))
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock the cache: %w", err)
	}
	// Closing the file releases the lock, as does the death of the process.
	return func() { _ = f.Close() }, nil
}

func clearFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Artefact is one entry of the cache.
type Artefact struct {
	Kind string // KindBinaries or KindImages
	Name string // as in the file name: php-8.4
	Key  string
	Path string
	Size int64     // bytes on disk; a file with several hard links counts once
	Used time.Time // when a build last asked for it
}

// artefactFile is how item.file names artefacts.
var artefactFile = regexp.MustCompile(`^(.+)-([0-9a-f]{12})(?:\.tar)?$`)

// List returns what the cache holds, by kind and name, the last used first.
func (b *Builder) List() ([]Artefact, error) { return b.cache.list() }

func (c *cache) list() ([]Artefact, error) {
	var all []Artefact
	for _, kind := range []string{KindBinaries, KindImages} {
		entries, err := os.ReadDir(filepath.Join(c.dir, kind))
		if err != nil {
			return nil, fmt.Errorf("list the cache: %w", err)
		}
		for _, e := range entries {
			m := artefactFile.FindStringSubmatch(e.Name())
			if m == nil {
				continue
			}
			a := Artefact{Kind: kind, Name: m[1], Key: m[2], Path: filepath.Join(c.dir, kind, e.Name())}
			if a.Size, a.Used, err = measure(a.Path); err != nil {
				return nil, fmt.Errorf("list the cache: %w", err)
			}
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(x, y Artefact) int {
		if c := strings.Compare(x.Kind+"/"+x.Name, y.Kind+"/"+y.Name); c != 0 {
			return c
		}
		return y.Used.Compare(x.Used)
	})
	return all, nil
}

func measure(path string) (size int64, used time.Time, err error) {
	seen := map[uint64]bool{}
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if p == path {
			used = info.ModTime()
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && !seen[st.Ino] {
			seen[st.Ino] = true
			size += st.Blocks * 512
		}
		return nil
	})
	return size, used, err
}

// Trim removes artefacts that a later used one of the same name has replaced
// and that nobody asked for in 14 days. It returns what it removed. While
// another process builds it removes nothing: the next call will.
func (b *Builder) Trim(now time.Time) ([]Artefact, error) {
	unlock, err := b.cache.tryLock()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := b.cache.trimPackages(now); err != nil {
		return nil, err
	}
	return b.cache.trim(now)
}

// trimPackages removes Debian packages that were downloaded long ago: most are
// out of date by then, and the others are fetched once more.
func (c *cache) trimPackages(now time.Time) error {
	packages, err := filepath.Glob(filepath.Join(c.dir, "apt", "*", "cache", "archives", "*.deb"))
	if err != nil {
		return err
	}
	for _, path := range packages {
		var st syscall.Stat_t
		if err := syscall.Lstat(path, &st); err != nil {
			return fmt.Errorf("trim packages: %w", err)
		}
		// apt sets the time of modification to the mirror's; that of the last
		// change of the entry is when it was downloaded.
		if now.Sub(time.Unix(st.Ctim.Unix())) < keepUnused {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("trim packages: %w", err)
		}
	}
	return nil
}

func (c *cache) trim(now time.Time) ([]Artefact, error) {
	all, err := c.list()
	if err != nil {
		return nil, err
	}
	var removed []Artefact
	for i, a := range all {
		replaced := i > 0 && all[i-1].Kind == a.Kind && all[i-1].Name == a.Name
		if !replaced || now.Sub(a.Used) < keepUnused {
			continue
		}
		// Moved away first: a half-removed artefact must not look complete.
		gone := filepath.Join(c.dir, "tmp", filepath.Base(a.Path))
		if err := os.Rename(a.Path, gone); err != nil {
			return removed, fmt.Errorf("trim the cache: %w", err)
		}
		if err := os.RemoveAll(gone); err != nil {
			return removed, fmt.Errorf("trim the cache: %w", err)
		}
		removed = append(removed, a)
	}
	return removed, nil
}
