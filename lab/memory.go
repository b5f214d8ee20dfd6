package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupRoot is where the kernel shows control groups.
const cgroupRoot = "/sys/fs/cgroup"

// siteMemory is what one idle site costs, in MiB, with everything that exists
// only because of it.
type siteMemory struct {
	// WorkingSet of the pod's cgroup: all its containers and pause, with the
	// kernel's memory and the files in active use. It is what eviction looks at.
	WorkingSet float64 `json:"workingSet"`
	// Files is the part of WorkingSet that is cached content of files, which the
	// kernel gives back when somebody needs the memory.
	Files float64 `json:"files"`
	// Shim is the proportional share (PSS) of containerd's shim, which runs
	// outside of the pod's cgroup.
	Shim float64 `json:"shim"`
	// Processes is the PSS of all processes of the pod: pages that many sites
	// share (programs, libraries) count once in all.
	Processes float64 `json:"processes"`
}

// total counts everything once: the pod's cgroup, and the shim beside it.
func (m siteMemory) total() float64 { return m.WorkingSet + m.Shim }

const mebibyte = 1 << 20

// memoryOf measures a pod by its UID.
func memoryOf(all []process, uid string) (siteMemory, error) {
	inside, shims := podProcesses(all, uid)
	if len(inside) == 0 || len(shims) == 0 {
		return siteMemory{}, fmt.Errorf("pod %s has %d processes and %d shims here", uid, len(inside), len(shims))
	}
	set, files, err := workingSet(inside[0].cgroup, uid)
	if err != nil {
		return siteMemory{}, err
	}
	shim, err := sumPSS(shims)
	if err != nil {
		return siteMemory{}, err
	}
	own, err := sumPSS(inside)
	return siteMemory{WorkingSet: set / mebibyte, Files: files / mebibyte, Shim: shim / mebibyte, Processes: own / mebibyte}, err
}

// workingSet reads what cAdvisor calls so: usage without the files that were not
// used lately, for the whole pod; and how much of it are files all the same.
func workingSet(cgroup, uid string) (set, files float64, err error) {
	group, err := podCgroup(cgroup, uid)
	if err != nil {
		return 0, 0, err
	}
	text, err := os.ReadFile(filepath.Join(group.folder, group.usage))
	if err != nil {
		return 0, 0, err
	}
	used, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil {
		return 0, 0, err
	}
	stat, err := os.ReadFile(filepath.Join(group.folder, "memory.stat"))
	if err != nil {
		return 0, 0, err
	}
	inactive, err := field(string(stat), group.total+"inactive_file")
	if err != nil {
		return 0, 0, err
	}
	active, err := field(string(stat), group.total+"active_file")
	return used - inactive, active, err
}

// memoryGroup is where the kernel accounts a pod's memory.
type memoryGroup struct {
	folder string
	usage  string // name of the file with the sum
	total  string // what stands before the names of sums over all containers
}

// podCgroup finds the pod's memory cgroup from the lines of a container's
// /proc/PID/cgroup, in both of the kernel's hierarchies (cgroups(7)).
func podCgroup(cgroup, uid string) (memoryGroup, error) {
	for line := range strings.Lines(cgroup) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		pod := upTo(parts[2], uid)
		switch {
		case pod == "":
			continue
		case parts[1] == "memory":
			return memoryGroup{filepath.Join(cgroupRoot, "memory", pod), "memory.usage_in_bytes", "total_"}, nil
		case parts[0] == "0" && parts[1] == "":
			return memoryGroup{filepath.Join(cgroupRoot, pod), "memory.current", ""}, nil
		}
	}
	return memoryGroup{}, fmt.Errorf("no memory cgroup of pod %s in %q", uid, cgroup)
}

// upTo cuts a path after the folder that is the pod's.
func upTo(path, uid string) string {
	var kept []string
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		kept = append(kept, part)
		if (process{cgroup: part}).ofPod(uid) {
			return strings.Join(kept, "/")
		}
	}
	return ""
}

// field reads one number of a file with lines of name and number.
func field(text, name string) (float64, error) {
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		if key, value, _ := strings.Cut(scanner.Text(), " "); key == name {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no %s", name)
}

// sumPSS adds up the processes' proportional shares, in bytes. One that has
// ended since it was listed has none.
func sumPSS(list []process) (float64, error) {
	sum := 0.0
	for _, p := range list {
		bytes, err := pss(p.pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("memory of process %d: %w", p.pid, err)
		}
		sum += bytes
	}
	return sum, nil
}

// pss reads a process's proportional share: a page that n processes share counts
// a n-th for each (proc(5), smaps_rollup).
func pss(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	value := strings.TrimSuffix(statusField(string(text), "Pss"), " kB")
	kilobytes, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return kilobytes * 1024, err
}

// workersOf counts PHP-FPM's children: processes of its name whose parent has it too.
func workersOf(inside []process) int {
	names := map[int]string{}
	for _, p := range inside {
		names[p.pid] = p.name
	}
	count := 0
	for _, p := range inside {
		if strings.HasPrefix(p.name, "php-fpm") && strings.HasPrefix(names[p.parent], "php-fpm") {
			count++
		}
	}
	return count
}
