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
	corev1 "k8s.io/api/core/v1"
)

// cgroupRoot is where the kernel shows control groups.
const cgroupRoot = "/sys/fs/cgroup"

// siteMemory is what one idle site costs, in MiB, with everything that exists
// only because of it.
type siteMemory struct {
	// WorkingSet of the pod's cgroup: all its containers and pause, with the
	// kernel's memory and the files in active use. It is what eviction looks at.
	WorkingSet float64
	// Shim is the proportional share (PSS) of containerd's shim, which runs
	// outside of the pod's cgroup.
	Shim float64
	// Processes is the PSS of all processes of the pod: pages that many sites
	// share (programs, libraries) count once in all.
	Processes float64
	// Parts are the containers by name, partPause and partLeft; together they
	// are the working set.
	Parts map[string]memoryPart
}

// Parts of a pod beside its containers.
const (
	partPause = "pause"
	// partLeft is charged to the pod and to none of its containers: mostly what
	// init containers left in the kernel's caches.
	partLeft = "left by init"
)

// total counts everything once: the pod's cgroup, and the shim beside it.
func (m siteMemory) total() float64 { return m.WorkingSet + m.Shim }

// memoryPart is what a cgroup holds, in MiB.
type memoryPart struct {
	// Own memory of the processes: heaps, stacks, changed data of libraries.
	Own float64 `json:"own"`
	// Shared memory and files in memory (tmpfs): OPcache above all.
	Shared float64 `json:"shared"`
	// Files is cached content of files in active use, which the kernel gives back
	// when somebody needs the memory.
	Files float64 `json:"files"`
	// Kernel is what the kernel keeps for it: page tables, sockets, names and
	// inodes of files.
	Kernel float64 `json:"kernel"`
}

func (p memoryPart) sum() float64 { return p.Own + p.Shared + p.Files + p.Kernel }

// less is what is left of a part without another.
func (p memoryPart) less(q memoryPart) memoryPart {
	return memoryPart{p.Own - q.Own, p.Shared - q.Shared, p.Files - q.Files, p.Kernel - q.Kernel}
}

const mebibyte = 1 << 20

// memoryOf measures a pod.
func memoryOf(all []process, pod *corev1.Pod) (siteMemory, error) {
	uid := string(pod.UID)
	inside, shims := podProcesses(all, uid)
	if len(inside) == 0 || len(shims) == 0 {
		return siteMemory{}, fmt.Errorf("pod %s has %d processes and %d shims here", uid, len(inside), len(shims))
	}
	group, err := podCgroup(inside[0].cgroup, uid)
	if err != nil {
		return siteMemory{}, err
	}
	m := siteMemory{}
	if m.WorkingSet, m.Parts, err = podParts(group, containerNames(pod)); err != nil {
		return siteMemory{}, err
	}
	if m.Shim, err = sumPSS(shims); err != nil {
		return siteMemory{}, err
	}
	m.Processes, err = sumPSS(inside)
	return m, err
}

// containerNames gives the names that a pod's containers have by their id.
func containerNames(pod *corev1.Pod) map[string]string {
	names := map[string]string{}
	for _, c := range pod.Status.ContainerStatuses {
		_, id, _ := strings.Cut(c.ContainerID, "://")
		names[id] = c.Name
	}
	return names
}

// podParts reads a pod's cgroup and those of its containers. The working set is
// their sum, and what cAdvisor calls so: usage without inactive files.
func podParts(pod memoryGroup, names map[string]string) (set float64, parts map[string]memoryPart, err error) {
	left, err := pod.read()
	if err != nil {
		return 0, nil, err
	}
	set, parts = left.sum(), map[string]memoryPart{}
	entries, err := os.ReadDir(pod.folder)
	if err != nil {
		return 0, nil, err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		container := pod
		container.folder = filepath.Join(pod.folder, entry.Name())
		part, err := container.read()
		if err != nil {
			return 0, nil, err
		}
		name := partPause
		for id := range names {
			if strings.Contains(entry.Name(), id) {
				name = names[id]
			}
		}
		parts[name] = part
		left = left.less(part)
	}
	parts[partLeft] = left
	return set, parts, nil
}

// read tells what a cgroup holds. The kernel names the same things differently in
// its two hierarchies (Documentation/admin-guide/cgroup-v{1,2}/memory).
func (g memoryGroup) read() (memoryPart, error) {
	text, err := os.ReadFile(filepath.Join(g.folder, g.usage))
	if err != nil {
		return memoryPart{}, err
	}
	used, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil {
		return memoryPart{}, err
	}
	stat, err := os.ReadFile(filepath.Join(g.folder, "memory.stat"))
	if err != nil {
		return memoryPart{}, err
	}
	own, cached := "anon", "file"
	if g.total != "" {
		own, cached = "rss", "cache"
	}
	var values [4]float64
	for i, name := range []string{own, cached, "shmem", "active_file"} {
		if values[i], err = field(string(stat), g.total+name); err != nil {
			return memoryPart{}, err
		}
		values[i] /= mebibyte
	}
	return memoryPart{
		Own: values[0], Shared: values[2], Files: values[3],
		Kernel: used/mebibyte - values[0] - values[1],
	}, nil
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

// sumPSS adds up the processes' proportional shares, in MiB. One that has
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
		sum += bytes / mebibyte
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
