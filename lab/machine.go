package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// process is one process of the machine, as this computer sees it. The lab's
// machine is made of namespaces, so all of its processes are there to be seen.
type process struct {
	pid    int
	parent int
	name   string // at most 15 characters of it (proc(5), comm)
	cgroup string // the lines of /proc/PID/cgroup
}

// processes lists what runs on this computer now. A process that ends while we
// look is left out.
func processes() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var list []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		p, err := readProcess(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read process %d: %w", pid, err)
		}
		list = append(list, p)
	}
	return list, nil
}

func readProcess(pid int) (process, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return process{}, err
	}
	cgroup, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	if err != nil {
		return process{}, err
	}
	p := process{pid: pid, name: statusField(string(status), "Name"), cgroup: string(cgroup)}
	p.parent, err = strconv.Atoi(statusField(string(status), "PPid"))
	return p, err
}

// statusField reads one field of /proc/PID/status.
func statusField(status, field string) string {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// ofPod tells whether a process runs in a pod. Kubernetes names the pod's cgroup
// after its UID, with the cgroupfs driver as it is and with systemd's with '_'.
func (p process) ofPod(uid string) bool {
	return strings.Contains(p.cgroup, "pod"+uid) || strings.Contains(p.cgroup, "pod"+strings.ReplaceAll(uid, "-", "_"))
}

// podProcesses returns a pod's processes and the shim that is their parent. The
// shim runs outside of the pod's cgroup but exists for this pod alone.
func podProcesses(all []process, uid string) (inside []process, shims []process) {
	parents := map[int]bool{}
	for _, p := range all {
		if p.ofPod(uid) {
			inside = append(inside, p)
			parents[p.parent] = true
		}
	}
	for _, p := range all {
		if parents[p.pid] && !p.ofPod(uid) && strings.HasPrefix(p.name, "containerd-shim") {
			shims = append(shims, p)
		}
	}
	return inside, shims
}

// kubelet finds the node's kubelet.
func (c *cluster) kubelet(t testing.TB) process {
	t.Helper()
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.nodeProcess(all, "kubelet")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// nodeProcess finds a program of the node itself: the one of that name whose
// network has the node's address.
func (c *cluster) nodeProcess(all []process, name string) (process, error) {
	for _, p := range all {
		if p.name != name {
			continue
		}
		trie, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/fib_trie", p.pid))
		if err == nil && slices.Contains(localAddresses(string(trie)), c.address) {
			return p, nil
		}
	}
	return process{}, fmt.Errorf("no %s here has the address %s of node %s: the lab's machine runs on the computer of its tests", name, c.address, c.node)
}

// localAddresses reads the addresses of a network namespace from the kernel's
// table of routes: those of type LOCAL.
func localAddresses(fibTrie string) []string {
	leaf := regexp.MustCompile(`^\|-- (\S+)$`)
	var list []string
	last := ""
	scanner := bufio.NewScanner(strings.NewReader(fibTrie))
	for scanner.Scan() {
		line := strings.TrimSpace(scanner.Text())
		if m := leaf.FindStringSubmatch(line); m != nil {
			last = m[1]
		}
		if strings.HasPrefix(line, "/32 host LOCAL") && !slices.Contains(list, last) {
			list = append(list, last)
		}
	}
	return list
}

// onNode is where a path of the node is found on this computer.
func (c *cluster) onNode(t testing.TB, path string) string {
	t.Helper()
	return filepath.Join(fmt.Sprintf("/proc/%d/root", c.kubelet(t).pid), path)
}
