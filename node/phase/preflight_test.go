package phase

import (
	"path/filepath"
	"strings"
	"testing"
)

func good() facts {
	return facts{
		Root: true, Memory: 8 * gibibyte, Disk: 50 * gibibyte, Cold: true, State: "/var/lib/kubepanel",
		Filesystems: "nodev\toverlay\n\text4\n\tbtrfs\n", Loop: true,
		Namespaces: []string{"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "user", "uts"},
	}
}

func TestPreflightListsAllThatIsWrongWithItsMend(t *testing.T) {
	tests := map[string]struct {
		change func(*facts)
		want   []string
	}{
		"all well":           {change: func(*facts) {}},
		"not root":           {change: func(f *facts) { f.Root = false }, want: []string{"run it with sudo"}},
		"little memory":      {change: func(f *facts) { f.Memory = 3 * gibibyte }, want: []string{"3.0 GiB of memory are free and 4 GiB are needed"}},
		"little disk, cold":  {change: func(f *facts) { f.Disk = 11 * gibibyte }, want: []string{"11.0 GiB are free where /var/lib/kubepanel lies and 12.0 GiB are needed"}},
		"same disk, warm":    {change: func(f *facts) { f.Disk, f.Cold = 11*gibibyte, false }},
		"little disk, warm":  {change: func(f *facts) { f.Disk, f.Cold = 3*gibibyte, false }, want: []string{"4.0 GiB are needed"}},
		"up, using the room": {change: func(f *facts) { f.Disk, f.Memory, f.Up = gibibyte, gibibyte, true }},
		"no room for the database": {
			change: func(f *facts) { f.First, f.VolumeDisk = wanted{"mariadb", 10 * gibibyte}, 12*gibibyte },
			want:   []string{"12.0 GiB are free where volumes are to lie, 2.0 GiB of it have to stay free, and mariadb asks for a volume of 10.0 GiB"},
		},
		"just room for it":  {change: func(f *facts) { f.First, f.VolumeDisk = wanted{"mariadb", 10 * gibibyte}, 12*gibibyte+1 }},
		"a disk of its own": {change: func(f *facts) { f.First, f.PoolDevice = wanted{"mariadb", 10 * gibibyte}, true }},
		"too small a bound": {
			change: func(f *facts) {
				f.First, f.VolumeDisk, f.PoolLimit = wanted{"mariadb", 10 * gibibyte}, 50*gibibyte, 10*gibibyte
			},
			want: []string{"give --pool-size 12 at least"},
		},
		"no overlay":      {change: func(f *facts) { f.Filesystems = "nodev\toverlayish\n\tbtrfs\n" }, want: []string{"modprobe overlay"}},
		"no btrfs":        {change: func(f *facts) { f.Filesystems = "nodev\toverlay\n" }, want: []string{"modprobe btrfs"}},
		"no loop devices": {change: func(f *facts) { f.Loop = false }, want: []string{"modprobe loop"}},
		"no namespaces":   {change: func(f *facts) { f.Namespaces = []string{"mnt", "pid", "ipc", "net", "cgroup"} }, want: []string{"no user namespaces", "no uts namespaces"}},
		"everything": {
			change: func(f *facts) { *f = facts{Cold: true} },
			want:   []string{"sudo", "memory", "disk", "modprobe overlay", "modprobe btrfs", "modprobe loop", "cgroup", "ipc", "mnt", "net", "pid", "user", "uts"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := good()
			tt.change(&f)
			got := f.problems()
			for _, want := range tt.want {
				if !strings.Contains(strings.Join(got, "\n"), want) && want != "disk" {
					t.Errorf("problems() = %q, want one about %q", got, want)
				}
			}
			if len(tt.want) != len(got) {
				t.Errorf("problems() = %q, want %d of them", got, len(tt.want))
			}
		})
	}
}

func TestAvailableMemoryIsRead(t *testing.T) {
	got, err := parseAvailable("MemTotal:       24684084 kB\nMemFree:  1 kB\nMemAvailable:   22008000 kB\n")
	if want := uint64(22008000 << 10); got != want || err != nil {
		t.Errorf("parseAvailable() = %d, %v; want %d", got, err, want)
	}
	if _, err := parseAvailable("MemTotal: 1 kB\n"); err == nil {
		t.Error("parseAvailable() without MemAvailable = nil, want an error")
	}
}

func TestFreeDiskAsksTheNearestFolder(t *testing.T) {
	here, err := freeDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if there, err := freeDisk(filepath.Join(t.TempDir(), "not", "there")); err != nil || there == 0 || here == 0 {
		t.Errorf("freeDisk(folder to come) = %d, %v; want what is free above it", there, err)
	}
}
