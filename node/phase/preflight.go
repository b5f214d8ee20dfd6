package phase

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	gibibyte = 1 << 30
	// A control plane, the platform and a few sites.
	needMemory = 4 * gibibyte
	// Compilers' cache, modules and images; measured 10 GB (docs/node/install.md).
	needDiskCold = 12 * gibibyte
	needDiskWarm = 4 * gibibyte
)

// facts are what preflight looks at, read once.
type facts struct {
	Root   bool
	Memory uint64 // bytes free for us
	Disk   uint64 // bytes free in the state folder
	// Cold: nothing was built here yet.
	Cold bool
	// Up: the machine runs; what it uses is not missing.
	Up          bool
	Filesystems string // /proc/filesystems
	Namespaces  []string
	Loop        bool // there are loop devices
	State       string
	// First is the largest volume that a new machine is asked for, VolumeDisk what is free where it is to lie, in bytes.
	First      wanted
	VolumeDisk uint64
	// PoolLimit is the most that volumes may have, in bytes, 0 without a bound; PoolDevice: they have a disk of their own.
	PoolLimit  uint64
	PoolDevice bool
}

// problems says in one sentence each what stands in the way, and what mends it.
func (f facts) problems() []string {
	var found []string
	if !f.Root {
		found = append(found, "This needs root: run it with sudo, or as root.")
	}
	if !f.Up && f.Memory < needMemory {
		found = append(found, fmt.Sprintf("%s of memory are free and 4 GiB are needed: stop other programs, or give the computer more.", size(f.Memory)))
	}
	need := uint64(needDiskWarm)
	if f.Cold {
		need = needDiskCold
	}
	if !f.Up && f.Disk < need {
		found = append(found, fmt.Sprintf("%s are free where %s lies and %s are needed: free some, or name another folder in KUBEPANEL_STATE.", size(f.Disk), f.State, size(need)))
	}
	if why := f.roomless(); why != "" {
		found = append(found, why)
	}
	if !strings.Contains(f.Filesystems, "\toverlay\n") {
		found = append(found, "The kernel has no overlay file system: load it with 'modprobe overlay', or start a kernel that has it (any of Debian's).")
	}
	if !strings.Contains(f.Filesystems, "\tbtrfs\n") {
		found = append(found, "The kernel has no btrfs, on which sites' volumes are: load it with 'modprobe btrfs', or start a kernel that has it (any of Debian's).")
	}
	if !f.Loop {
		found = append(found, "The kernel offers no loop devices, by which a file holds sites' volumes: load them with 'modprobe loop'.")
	}
	for _, name := range []string{"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"} {
		if !contains(f.Namespaces, name) {
			found = append(found, fmt.Sprintf("The kernel has no %s namespaces: start a kernel that has them (any of Debian's).", name))
		}
	}
	return found
}

func contains(list []string, want string) bool {
	for _, have := range list {
		if have == want {
			return true
		}
	}
	return false
}

func size(bytes uint64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/gibibyte) }

// Preflight looks before anything is changed and lists all that is wrong at once.
func (n *Node) Preflight(ctx context.Context) (string, error) {
	f, err := n.facts(ctx)
	if err != nil {
		return "", err
	}
	if found := append(f.problems(), n.place.Problems()...); len(found) > 0 {
		return "", errors.New("\n  - " + strings.Join(found, "\n  - "))
	}
	return fmt.Sprintf("root, %s of memory and %s of disk free", size(f.Memory), size(f.Disk)), nil
}

func (n *Node) facts(ctx context.Context) (facts, error) {
	f := facts{Root: os.Geteuid() == 0, Up: n.place.Running(), State: n.machine.State}
	var err error
	if f.Memory, err = freeMemory(); err != nil {
		return f, err
	}
	if f.Disk, err = freeDisk(n.machine.State); err != nil {
		return f, err
	}
	if f.Root { // others may not even look
		if err := n.roomFacts(&f); err != nil {
			return f, err
		}
	}
	built, err := filepath.Glob(filepath.Join(n.machine.State, "cache", "bin", "kubernetes-*"))
	if err != nil {
		return f, fmt.Errorf("look into the cache: %w", err)
	}
	f.Cold = len(built) == 0
	// They may be there and not loaded yet; that they can't be loaded is what we then say.
	for _, module := range []string{"overlay", "btrfs", "loop"} {
		_ = exec.CommandContext(ctx, "modprobe", "--quiet", module).Run()
	}
	_, err = os.Stat("/dev/loop-control")
	f.Loop = err == nil
	filesystems, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return f, fmt.Errorf("look at the kernel: %w", err)
	}
	f.Filesystems = string(filesystems)
	entries, err := os.ReadDir("/proc/self/ns")
	if err != nil {
		return f, fmt.Errorf("look at the kernel: %w", err)
	}
	for _, entry := range entries {
		f.Namespaces = append(f.Namespaces, entry.Name())
	}
	return f, nil
}

func freeMemory() (uint64, error) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, fmt.Errorf("look at memory: %w", err)
	}
	return parseAvailable(string(data))
}

// parseAvailable finds MemAvailable, in KiB there (proc_meminfo(5)).
func parseAvailable(meminfo string) (uint64, error) {
	for line := range strings.Lines(meminfo) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "MemAvailable:" {
			kib, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("look at memory: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, errors.New("look at memory: the kernel does not tell what is available")
}

// freeDisk asks the nearest folder that is there: the state folder may not be yet.
func freeDisk(folder string) (uint64, error) {
	for {
		var stat unix.Statfs_t
		err := unix.Statfs(folder, &stat)
		if err == nil {
			return stat.Bavail * uint64(stat.Bsize), nil
		}
		if !errors.Is(err, unix.ENOENT) || folder == "/" {
			return 0, fmt.Errorf("look at the disk below %s: %w", folder, err)
		}
		folder = filepath.Dir(folder)
	}
}

// kernel tries in a network namespace of its own what the node's network needs.
// It runs after the packages phase, which brings the tools to try with.
func (n *Node) kernel(ctx context.Context) error {
	if n.place.Running() {
		return nil
	}
	probes := []struct {
		what    string
		command []string
	}{
		{"bridges", []string{"ip", "link", "add", "name", "kpbridge", "type", "bridge"}},
		{"veth pairs", []string{"ip", "link", "add", "name", "kpveth", "type", "veth", "peer", "name", "kpveth2"}},
		{"nftables", []string{"nft", "add", "table", "inet", "kubepanel-probe"}},
		{"IP sets", []string{"ipset", "create", "kubepanel-probe", "hash:net"}},
	}
	var found []string
	for _, probe := range probes {
		command := exec.CommandContext(ctx, "unshare", append([]string{"--net", "--"}, probe.command...)...)
		if said, err := command.CombinedOutput(); err != nil {
			found = append(found, fmt.Sprintf("The kernel offers no %s (%s): start a kernel that does (any of Debian's).", probe.what, lastLines(string(said))))
		}
	}
	if len(found) > 0 {
		return errors.New("\n  - " + strings.Join(found, "\n  - "))
	}
	return nil
}
