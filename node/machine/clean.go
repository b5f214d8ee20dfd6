package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Clean removes what a machine that no longer runs may have left on the
// computer: processes, cgroups, interfaces, rules, mounts. It is also the last
// step of stopping, so that there is one list of what exists outside.
func (m Machine) Clean(ctx context.Context) error {
	trees, err := hierarchies()
	if err != nil {
		return err
	}
	err = errors.Join(
		removeCgroups(m.cgroup(), trees),
		m.removeNetwork(ctx),
		m.unmountAll(),
	)
	for _, file := range []string{m.daemonFile(), m.initFile()} {
		if gone := os.Remove(file); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// unmountAll takes away mounts below the machine's folder. The machine mounts
// in its own namespace, so there are none unless a person made them; but a
// purge through a mounted folder would delete what lies behind it.
func (m Machine) unmountAll() error {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	for _, path := range slices.Backward(MountsBelow(string(data), m.Dir())) {
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
	return nil
}

// MountsBelow lists mount points below a folder, in the order they were mounted.
func MountsBelow(mountinfo, dir string) []string {
	// mountinfo writes blanks and the like as octal (proc(5)).
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var found []string
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if path := plain.Replace(fields[4]); strings.HasPrefix(path, dir+string(filepath.Separator)) {
			found = append(found, path)
		}
	}
	return found
}
