package pool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Usage is how full a volume is, in bytes.
type Usage struct {
	Used, Size int64
	// Free is what can still be written: less than Size - Used where the pool itself is nearly full.
	Free int64
}

// Usage asks the kernel's quota of a volume.
func (p *Pool) Usage(id string) (Usage, error) {
	volume, err := p.Volume(id)
	if err != nil {
		return Usage{}, err
	}
	usage, err := p.usage(volume.Path)
	if err != nil {
		return Usage{}, err
	}
	used, most, err := p.Capacity()
	usage.Free = max(0, min(usage.Size-usage.Used, most-used))
	return usage, err
}

func (p *Pool) usage(path string) (Usage, error) {
	info, err := subvolumeAt(path)
	if err != nil {
		return Usage{}, err
	}
	used, err := p.readNumber(info.ID, "referenced")
	if err != nil {
		return Usage{}, err
	}
	size, err := p.readNumber(info.ID, "max_referenced")
	return Usage{Used: used, Size: size}, err
}

func (p *Pool) readNumber(subvolume uint64, fact string) (int64, error) {
	text, err := p.readFact(quota(subvolume), fact)
	if errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("quota of subvolume %d: %w", subvolume, ErrNotFound)
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("quota of subvolume %d: %w", subvolume, err)
	}
	return n, nil
}

// quota is the name of a subvolume's own group in sysfs.
func quota(subvolume uint64) string { return "0_" + strconv.FormatUint(subvolume, 10) }

// Mounted lists the places where a volume as a whole is mounted.
func (p *Pool) Mounted(id string) ([]string, error) {
	all, err := p.mounts(id)
	var whole []string
	for _, m := range all {
		if m.folder == "/" {
			whole = append(whole, m.target)
		}
	}
	return whole, err
}

// mounts are those of a volume and of folders in it, as kubelet makes for a subPath.
func (p *Pool) mounts(id string) ([]mountPoint, error) {
	table, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer table.Close()
	return findMounts(table, p.Mount, "/"+volumes+"/"+id)
}

// mountPoint shows a folder of a volume ("/" is all of it) at a target.
type mountPoint struct{ folder, target string }

// findMounts reads a table of mounts (proc_pid_mountinfo(5)) for those of a folder of the file system at top.
func findMounts(table io.Reader, top, folder string) ([]mountPoint, error) {
	byDevice := map[string][]mountPoint{}
	device := ""
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		root, target := fields[3], fields[4]
		if target == top {
			device = fields[2] // the last one lies on top
		}
		if rest, ok := strings.CutPrefix(root+"/", folder+"/"); ok {
			byDevice[fields[2]] = append(byDevice[fields[2]], mountPoint{"/" + strings.TrimSuffix(rest, "/"), target})
		}
	}
	return byDevice[device], lines.Err()
}
