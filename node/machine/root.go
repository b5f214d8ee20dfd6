package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Kept are the folders of a node that live on its disk and so outlive it.
// Everything else of its root is in memory, or the computer's own with changes
// kept in memory.
func Kept() []string {
	return []string{
		"/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd", "/var/lib/cni", "/var/lib/calico",
		"/var/lib/kubepanel-volumes", "/var/log",
		"/etc/kubernetes", "/etc/cni", "/etc/calico", "/etc/containerd", "/opt/cni",
	}
}

// mount is one call of mount(2).
type mount struct {
	source, target, kind string
	flags                uintptr
	data                 string
}

func mountAll(mounts []mount) error {
	for _, step := range mounts {
		if err := os.MkdirAll(step.target, 0o755); err != nil {
			return fmt.Errorf("make the machine's root: %w", err)
		}
		if err := unix.Mount(step.source, step.target, step.kind, step.flags, step.data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", step.kind+step.source, step.target, err)
		}
	}
	return nil
}

// enterRoot builds the machine's root file system and moves into it. It runs
// in the machine's own mount namespace, so nothing of it is seen outside and
// all of it goes with the machine's last process.
func (m Machine) enterRoot(trees []hierarchy) error {
	root := m.rootDir()
	// Nothing we mount may travel back to the computer.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts to ourselves: %w", err)
	}
	err := mountAll([]mount{{"kubepanel", root, "tmpfs", 0, "mode=755,size=512m"}})
	if err == nil {
		err = system(root)
	}
	if err == nil {
		err = own(root)
	}
	if err == nil {
		err = mountCgroups(root, trees)
	}
	if err == nil {
		err = m.bindKept(root)
	}
	if err != nil {
		return err
	}
	return pivot(root)
}

// system repeats the links by which /bin, /lib and the like lead into /usr. A
// folder of that name (an old Debian, not merged) is shown read-only.
func system(root string) error {
	for _, name := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		info, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("make the machine's root: %w", err)
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(name)
			if err == nil {
				err = os.Symlink(target, root+name)
			}
			if err != nil {
				return fmt.Errorf("make the machine's root: %w", err)
			}
			continue
		}
		err = mountAll([]mount{
			{name, root + name, "", unix.MS_BIND | unix.MS_REC, ""},
			{"", root + name, "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY, ""},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// over shows one of the computer's folders with changes kept in memory: pods
// may ask for folders in it that the computer does not have (/lib/modules).
func over(root, folder string) (mount, error) {
	layers := filepath.Join(root, ".over", folder)
	for _, part := range []string{"upper", "work"} {
		if err := os.MkdirAll(filepath.Join(layers, part), 0o755); err != nil {
			return mount{}, fmt.Errorf("make the machine's root: %w", err)
		}
	}
	data := fmt.Sprintf("lowerdir=%[2]s,upperdir=%[1]s/upper,workdir=%[1]s/work", layers, folder)
	return mount{"kubepanel", root + folder, "overlay", 0, data}, nil
}

// own makes what each machine has for itself.
func own(root string) error {
	for _, dir := range []string{"/root", "/home", "/mnt", "/srv", "/tmp", "/var/lib", "/var/cache", "/var/tmp", "/opt"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			return fmt.Errorf("make the machine's root: %w", err)
		}
	}
	for _, dir := range []string{"/tmp", "/var/tmp"} {
		if err := os.Chmod(root+dir, 0o777|fs.ModeSticky); err != nil {
			return fmt.Errorf("make the machine's root: %w", err)
		}
	}
	if err := os.Symlink("../run", root+"/var/run"); err != nil {
		return fmt.Errorf("make the machine's root: %w", err)
	}
	usr, err := over(root, "/usr")
	if err != nil {
		return err
	}
	etc, err := over(root, "/etc")
	if err != nil {
		return err
	}
	return mountAll([]mount{
		usr, etc,
		{"/dev", root + "/dev", "", unix.MS_BIND | unix.MS_REC, ""},
		{"kubepanel", root + "/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"proc", root + "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", root + "/sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"kubepanel", root + "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
	})
}

// mountCgroups gives the machine the computer's hierarchies, each seen from the
// machine's own cgroup as its root.
func mountCgroups(root string, trees []hierarchy) error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	unified := len(trees) == 1 && trees[0].V2 && trees[0].Mount == cgroupRoot
	if !unified {
		if err := mountAll([]mount{{"kubepanel", root + cgroupRoot, "tmpfs", flags, "mode=755"}}); err != nil {
			return err
		}
	}
	for _, tree := range trees {
		kind := "cgroup"
		if tree.V2 {
			kind = "cgroup2"
		}
		if err := mountAll([]mount{{"cgroup", root + tree.Mount, kind, flags, tree.Options}}); err != nil {
			return err
		}
	}
	if !unified {
		return linkControllers(root)
	}
	// Version 2 allows no process in a cgroup that hands controllers on, and the kubelet starts at the root.
	leaf := filepath.Join(root+cgroupRoot, "supervisor")
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make cgroup: %w", err)
	}
	if err := os.WriteFile(filepath.Join(leaf, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		return fmt.Errorf("enter cgroup: %w", err)
	}
	return handOn(root + cgroupRoot)
}

// linkControllers repeats links such as cpu → cpu,cpuacct, by which programs
// find a controller that shares its hierarchy.
func linkControllers(root string) error {
	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return fmt.Errorf("list cgroups: %w", err)
	}
	for _, entry := range entries {
		if entry.Type()&fs.ModeSymlink == 0 {
			continue
		}
		target, err := os.Readlink(filepath.Join(cgroupRoot, entry.Name()))
		if err == nil {
			err = os.Symlink(target, filepath.Join(root+cgroupRoot, entry.Name()))
		}
		if err != nil {
			return fmt.Errorf("link cgroup %s: %w", entry.Name(), err)
		}
	}
	return nil
}

// bindKept puts the disk's folders and the state folder in their places.
func (m Machine) bindKept(root string) error {
	mounts := []mount{{m.State, root + m.State, "", unix.MS_BIND, ""}}
	for _, path := range Kept() {
		source := filepath.Join(m.Disk(), path)
		if err := os.MkdirAll(source, 0o755); err != nil {
			return fmt.Errorf("make the machine's disk: %w", err)
		}
		mounts = append(mounts, mount{source, root + path, "", unix.MS_BIND, ""})
	}
	return mountAll(mounts)
}

// pivot makes root the root and forgets the old one. Mounts are shared from
// here on, as on a real machine: volumes mounted by the kubelet must reach containers.
func pivot(root string) error {
	if err := os.Chdir(root); err != nil {
		return fmt.Errorf("enter the machine's root: %w", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("enter the machine's root: %w", err)
	}
	// Both roots are now at "."; the old one lies on top (pivot_root(2), "pivot_root(".", ".")").
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the computer's root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return fmt.Errorf("enter the machine's root: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share mounts inside: %w", err)
	}
	return nil
}

// nameFiles writes the files by which programs inside know where they are.
func (m Machine) nameFiles(s Settings, resolvers []string) error {
	var resolv strings.Builder
	for _, resolver := range resolvers {
		fmt.Fprintf(&resolv, "nameserver %s\n", resolver)
	}
	hosts := fmt.Sprintf("127.0.0.1 localhost\n::1 localhost\n%s %s\n", s.Address(), m.Hostname())
	if s.IPv6 {
		hosts += fmt.Sprintf("%s %s\n", s.Address6(), m.Hostname())
	}
	id := sha256.Sum256([]byte(m.Dir()))
	files := map[string]string{
		"/etc/hostname":    m.Hostname() + "\n",
		"/etc/hosts":       hosts,
		"/etc/resolv.conf": resolv.String(),
		// Kubernetes tells nodes apart by it (machine-id(5)): 32 hexadecimal digits.
		"/etc/machine-id": hex.EncodeToString(id[:16]) + "\n",
	}
	for path, text := range files {
		// It may be a link into the computer's /run, which is not here.
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("write %s: %w", path, err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}
