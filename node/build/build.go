// Package build makes what a node is put together from: programs compiled out
// of pinned modules and images built out of Containerfiles. Everything made is
// kept under the state folder by the content it was made from, so that a second
// run builds nothing. What must never live here: how a node is started, a
// version (they are pinned in node/components/*/go.mod and images/images.yaml),
// or anything fetched that isn't pinned there.
package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options says where the sources and the state are.
type Options struct {
	// Root is the checkout. Empty: $KUBEPANEL_ROOT, or the first folder above
	// the current one that holds images/images.yaml.
	Root string
	// State is the state folder; artefacts go to cache/ in it.
	State string
	// Log gets a line for each artefact: "built etcd in 22s", "etcd: cached".
	Log io.Writer
}

// Builder makes artefacts and finds those made before. It may be used by
// several goroutines; several processes on one state folder take turns.
type Builder struct {
	root    string
	state   string
	cache   *cache
	catalog *Catalog
	log     *progress
	apt     suiteLocks
}

// Open reads the list of images and prepares the cache. It builds nothing.
func Open(o Options) (*Builder, error) {
	root, err := findRoot(o.Root)
	if err != nil {
		return nil, err
	}
	if o.State == "" {
		return nil, errors.New("no state folder given")
	}
	state, err := filepath.Abs(o.State)
	if err != nil {
		return nil, fmt.Errorf("state folder %s: %w", o.State, err)
	}
	catalog, err := readCatalog(filepath.Join(root, "images", "images.yaml"))
	if err != nil {
		return nil, err
	}
	kept, err := openCache(filepath.Join(state, "cache"))
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return &Builder{root: root, state: state, cache: kept, catalog: catalog, log: &progress{to: o.Log}}, nil
}

// Binaries returns the folder of each named component, building what is not in
// the cache. Without names it is every component.
func (b *Builder) Binaries(ctx context.Context, names ...string) (map[string]string, error) {
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(components()))
	}
	j := b.newJob(ctx)
	defer j.close()
	folders := make(map[string]string, len(names))
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	for _, name := range names {
		g.Go(func() error {
			folder, err := j.binary(ctx, name)
			if err != nil {
				return fmt.Errorf("component %s: %w", name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			folders[name] = folder
			return nil
		})
	}
	return folders, g.Wait()
}

// Image is an image as it lies in the cache.
type Image struct {
	Name    string   // php
	Version string   // 8.4
	Ref     string   // kubepanel.io/php:8.4-0123456789ab; the first of Refs
	Refs    []string // every name that importing the archive gives
	Archive string   // OCI archive
}

// Images returns the named images, building what is not in the cache: their
// bases and the programs they hold included. A name is that of an image
// ("php": every version) or of one version of it ("php:8.4"); without names it
// is every image but those that are built on demand.
func (b *Builder) Images(ctx context.Context, names ...string) ([]Image, error) {
	specs, err := b.catalog.choose(names)
	if err != nil {
		return nil, err
	}
	j := b.newJob(ctx)
	defer j.close()
	images := make([]Image, len(specs))
	g, ctx := errgroup.WithContext(ctx)
	for i, spec := range specs {
		g.Go(func() error {
			var err error
			if images[i], err = j.image(ctx, spec); err != nil {
				return fmt.Errorf("image %s: %w", spec.ID(), err)
			}
			return nil
		})
	}
	return images, g.Wait()
}

// job is one call of Binaries or Images: what it has made already, and its
// share of the computer.
type job struct {
	*Builder
	slots chan struct{}

	mu    sync.Mutex
	once  map[string]func() (string, error)
	lock  func() (func(), error)
	store func() (*storage, error)
	ends  []func()
}

// newJob begins a job that ctx ends.
func (b *Builder) newJob(ctx context.Context) *job {
	j := &job{
		Builder: b,
		// Compiling uses every core by itself; a second task fills the time in
		// which one links or waits for the network.
		slots: make(chan struct{}, min(2, runtime.NumCPU())),
		once:  map[string]func() (string, error){},
	}
	j.lock = sync.OnceValues(func() (func(), error) {
		unlock, err := b.cache.lock(ctx, b.log)
		if err == nil {
			j.atEnd(unlock)
		}
		return unlock, err
	})
	j.store = sync.OnceValues(func() (*storage, error) {
		s, err := openStorage(filepath.Join(b.state, "build"))
		if err == nil {
			j.atEnd(s.close)
		}
		return s, err
	})
	return j
}

func (j *job) atEnd(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ends = append(j.ends, f)
}

func (j *job) close() {
	for _, f := range slices.Backward(j.ends) {
		f()
	}
}

// do runs f once per name within this job; everyone who asks gets its result.
func (j *job) do(name string, f func() (string, error)) (string, error) {
	j.mu.Lock()
	known, ok := j.once[name]
	if !ok {
		known = sync.OnceValues(f)
		j.once[name] = known
	}
	j.mu.Unlock()
	return known()
}

// make returns the artefact from the cache or has it made: under the lock, with
// one of the job's slots, in a temporary place from which it is moved when complete.
func (j *job) make(ctx context.Context, it item, build func(ctx context.Context, tmp string) error) (string, error) {
	if path, ok := j.cache.find(it); ok {
		j.log.line("%s: cached", it.name)
		return path, nil
	}
	if _, err := j.lock(); err != nil {
		return "", err
	}
	// Whoever held the lock before may have built just this.
	if path, ok := j.cache.find(it); ok {
		j.log.line("%s: cached", it.name)
		return path, nil
	}
	select {
	case j.slots <- struct{}{}:
		defer func() { <-j.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	start := time.Now()
	path, err := j.cache.put(it, func(tmp string) error { return build(ctx, tmp) })
	if err != nil {
		return "", err
	}
	j.log.line("built %s in %s", it.name, time.Since(start).Round(100*time.Millisecond))
	return path, nil
}

// progress writes whole lines, one at a time.
type progress struct {
	mu sync.Mutex
	to io.Writer
}

func (p *progress) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A log that can't be written must not stop a build.
	_, _ = fmt.Fprintf(p.to, format+"\n", args...)
}

// findRoot finds the checkout that holds the sources.
func findRoot(given string) (string, error) {
	if given == "" {
		given = os.Getenv("KUBEPANEL_ROOT")
	}
	if given != "" {
		return filepath.Abs(given)
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the sources: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "images", "images.yaml")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("find the sources: no images/images.yaml in this folder or above it; run inside the checkout or set KUBEPANEL_ROOT")
		}
		folder = parent
	}
}
