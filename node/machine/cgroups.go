package machine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hierarchy is one mounted tree of cgroups: version 1 has one per controller,
// version 2 has one in all, and a computer may have both.
type hierarchy struct {
	Mount   string
	Options string
	V2      bool
}

// cgroupRoot is where Linux distributions mount cgroups, inside and outside.
const cgroupRoot = "/sys/fs/cgroup"

// parseHierarchies reads /proc/self/mountinfo (proc(5)).
func parseHierarchies(mountinfo string) []hierarchy {
	var found []hierarchy
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		mount, filesystem := strings.Fields(before), strings.Fields(after)
		if !ok || len(mount) < 5 || len(filesystem) < 3 || !strings.HasPrefix(mount[4], cgroupRoot) {
			continue
		}
		switch filesystem[0] {
		case "cgroup2":
			found = append(found, hierarchy{Mount: mount[4], V2: true})
		case "cgroup":
			found = append(found, hierarchy{Mount: mount[4], Options: controllers(filesystem[2])})
		}
	}
	return found
}

// controllers leaves of a mount's options those that choose the hierarchy.
func controllers(options string) string {
	var keep []string
	for option := range strings.SplitSeq(options, ",") {
		if strings.HasPrefix(option, "name=") {
			keep = append(keep, "none", option)
			continue
		}
		if !slices.Contains([]string{"rw", "ro", "xattr", "clone_children", "noprefix", "cpuset_v2_mode"}, option) && !strings.Contains(option, "=") {
			keep = append(keep, option)
		}
	}
	return strings.Join(keep, ",")
}

func hierarchies() ([]hierarchy, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find cgroups: %w", err)
	}
	found := parseHierarchies(string(data))
	if len(found) == 0 {
		return nil, errors.New("find cgroups: none are mounted below " + cgroupRoot)
	}
	return found, nil
}

// makeCgroups makes NAME/outside for the daemon and NAME/inside for the
// machine in every hierarchy. Apart, since version 2 allows no processes in a
// cgroup that hands controllers on.
func makeCgroups(name string, trees []hierarchy) error {
	for _, tree := range trees {
		for _, part := range []string{name, name + "/outside", name + "/inside"} {
			dir := filepath.Join(tree.Mount, part)
			if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("make cgroup: %w", err)
			}
			if err := inheritCPUs(dir); err != nil {
				return err
			}
		}
		if tree.V2 {
			if err := handOn(tree.Mount); err != nil {
				return err
			}
			if err := handOn(filepath.Join(tree.Mount, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// inheritCPUs fills a new version 1 cpuset, which starts empty and takes no
// process until it has processors and memory.
func inheritCPUs(dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		have, err := os.ReadFile(filepath.Join(dir, file))
		if errors.Is(err, fs.ErrNotExist) || len(bytes.TrimSpace(have)) > 0 {
			continue
		}
		parent, err := os.ReadFile(filepath.Join(filepath.Dir(dir), file))
		if err != nil || len(bytes.TrimSpace(parent)) == 0 {
			// Version 2: empty means "as the parent".
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, file), parent, 0o644); err != nil {
			return fmt.Errorf("give cgroup its processors: %w", err)
		}
	}
	return nil
}

// handOn lets children of a version 2 cgroup use all its controllers.
func handOn(dir string) error {
	available, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("read controllers: %w", err)
	}
	for _, controller := range strings.Fields(string(available)) {
		// One by one: a controller that version 1 holds can't be handed on, the others can.
		err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EOPNOTSUPP) {
			return fmt.Errorf("hand on controller %s in %s: %w", controller, dir, err)
		}
	}
	return nil
}

// joinCgroups moves a process into a part of the machine's cgroups.
func joinCgroups(pid int, path string, trees []hierarchy) error {
	for _, tree := range trees {
		file := filepath.Join(tree.Mount, path, "cgroup.procs")
		if err := os.WriteFile(file, []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return fmt.Errorf("move process %d into its cgroup: %w", pid, err)
		}
	}
	return nil
}

// cgroupProcesses lists who is in a cgroup or below it, in any hierarchy.
func cgroupProcesses(path string, trees []hierarchy) []int {
	var pids []int
	for _, tree := range trees {
		// A part that vanishes meanwhile holds nobody.
		_ = filepath.WalkDir(filepath.Join(tree.Mount, path), func(dir string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return nil
			}
			data, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
			for _, field := range strings.Fields(string(data)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
					pids = append(pids, pid)
				}
			}
			return nil
		})
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

// removeCgroups ends whatever runs in a cgroup and removes it and all below.
// What a dead machine left there would otherwise delay the next one by 20 s.
func removeCgroups(path string, trees []hierarchy) error {
	var last error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, pid := range cgroupProcesses(path, trees) {
			if pid != os.Getpid() {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
		last = nil
		for _, tree := range trees {
			last = errors.Join(last, removeTree(filepath.Join(tree.Mount, path)))
		}
		if last == nil {
			return nil
		}
	}
	return fmt.Errorf("remove cgroups: %w", last)
}

// removeTree removes folders alone, deepest first: a cgroup's files can't be removed.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if entry.IsDir() {
			err = errors.Join(err, removeTree(filepath.Join(dir, entry.Name())))
		}
	}
	if err != nil {
		return err
	}
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	return nil
}
