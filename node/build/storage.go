package build

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// overlayMagic is what statfs says of an overlay file system (linux/magic.h).
const overlayMagic = 0x794c7630

// storage is buildah's store. It lives inside the state folder, holds nothing
// that the cache doesn't have, and is thrown away after each job: an earlier
// run that was killed can leave containers and mounts in it, and all of those
// go with it.
type storage struct {
	dir    string
	driver string
	// loading keeps loads apart: two at once may name each other's image.
	loading sync.Mutex
}

func openStorage(dir string) (*storage, error) {
	s := &storage{dir: dir, driver: "overlay"}
	if err := s.clear(); err != nil {
		return nil, fmt.Errorf("clear an earlier run's leftovers: %w", err)
	}
	for _, sub := range []string{"root", "run", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("prepare the image store: %w", err)
		}
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return nil, fmt.Errorf("prepare the image store: %w", err)
	}
	if fs.Type == overlayMagic {
		// The kernel doesn't put one overlay upon another.
		s.driver = "vfs"
	}
	return s, nil
}

// close throws the store away. What can't be removed now is removed by the next
// run, so nothing is lost by not stopping for it.
func (s *storage) close() { _ = s.clear() }

func (s *storage) clear() error {
	if err := unmountBelow(s.dir); err != nil {
		return err
	}
	return os.RemoveAll(s.dir)
}

// unmountBelow takes down every mount at or below a folder, the last made first.
func unmountBelow(dir string) error {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	points, err := mountsBelow(f, dir)
	if err != nil {
		return err
	}
	for _, point := range slices.Backward(points) {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("unmount %s: %w", point, err)
		}
	}
	return nil
}

// mountsBelow reads proc_pid_mountinfo(5) and returns the mount points at or
// below dir in the order they were made.
func mountsBelow(r io.Reader, dir string) ([]string, error) {
	var points []string
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) < 5 {
			continue
		}
		point := unescapeMount(fields[4])
		if point == dir || strings.HasPrefix(point, dir+"/") {
			points = append(points, point)
		}
	}
	return points, scanner.Err()
}

// unescapeMount undoes the kernel's octal escapes of space, tab, newline and backslash.
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// recipe is one run of a Containerfile.
type recipe struct {
	context string            // folder with the Containerfile and what it copies
	args    map[string]string // build arguments
	volumes []string          // host:image, mounted while RUN works
	layout  string            // where the image goes: a folder in OCI layout
}

func (s *storage) command(verb string, args ...string) command {
	all := []string{"--root", filepath.Join(s.dir, "root"), "--runroot", filepath.Join(s.dir, "run"),
		"--storage-driver", s.driver, verb}
	return command{name: "buildah", args: append(all, args...), env: []string{"TMPDIR=" + filepath.Join(s.dir, "tmp")}}
}

// build runs a Containerfile and writes the image it gives.
func (s *storage) build(ctx context.Context, r recipe) error {
	idFile := r.layout + ".id"
	args := []string{"--isolation", "chroot", "--layers=false", "--pull=false", "--iidfile", idFile,
		"--file", filepath.Join(r.context, "Containerfile")}
	for _, name := range slices.Sorted(maps.Keys(r.args)) {
		args = append(args, "--build-arg", name+"="+r.args[name])
	}
	for _, volume := range r.volumes {
		args = append(args, "--volume", volume)
	}
	if err := run(ctx, s.command("bud", append(args, r.context)...)); err != nil {
		return err
	}
	id, err := os.ReadFile(idFile)
	if err != nil {
		return fmt.Errorf("read the image's number: %w", err)
	}
	name := strings.TrimSpace(string(id))
	// zstd unpacks several times faster than gzip, which is what a node's start waits for.
	if err := run(ctx, s.command("push", "--compression-format", "zstd", "--compression-level", "3", name, "oci:"+r.layout+":image")); err != nil {
		return err
	}
	return run(ctx, s.command("rmi", name))
}

// load takes an archive into the store under a name.
func (s *storage) load(ctx context.Context, archive, name string) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	id, err := output(ctx, s.command("pull", "--quiet", "oci-archive:"+archive))
	if err != nil {
		return err
	}
	return run(ctx, s.command("tag", strings.TrimSpace(id), name))
}
