package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// suiteLocks lets one image of a suite install packages at a time: they share
// apt's folder of downloads, which apt locks for itself.
type suiteLocks struct {
	mu    sync.Mutex
	locks map[string]*sync.Mutex
}

func (s *suiteLocks) of(suite string) *sync.Mutex {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks == nil {
		s.locks = map[string]*sync.Mutex{}
	}
	if s.locks[suite] == nil {
		s.locks[suite] = new(sync.Mutex)
	}
	return s.locks[suite]
}

// aptVolumes are the mounts with which RUN apt-get works inside an image of a
// suite: this machine's sources for that suite, and the packages downloaded
// before. They are mounted only while building, so nothing of them stays.
func (j *job) aptVolumes(ctx context.Context, suite, dir string) ([]string, func(), error) {
	machine, err := readMachineApt(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := machine.write(dir, suite); err != nil {
		return nil, nil, err
	}
	volumes := []string{dir + ":/etc/apt"}
	kept := filepath.Join(j.state, "cache", "apt", suite)
	for _, sub := range []string{"cache/archives/partial", "lists/partial"} {
		if err := os.MkdirAll(filepath.Join(kept, sub), 0o755); err != nil {
			return nil, nil, fmt.Errorf("keep packages: %w", err)
		}
	}
	volumes = append(volumes, filepath.Join(kept, "cache")+":/var/cache/apt", filepath.Join(kept, "lists")+":/var/lib/apt/lists")
	lock := j.apt.of(suite)
	lock.Lock()
	return volumes, lock.Unlock, nil
}
