package machine

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestMachineNamesFitAnInterface(t *testing.T) {
	for name, ok := range map[string]bool{
		"main": true, "lab": true, "a1": true, "t-init": true, "abcdefghijkl": true,
		"": false, "a": false, "abcdefghijklm": false, "Main": false, "-x": false, "x-": false, "a b": false, "a/b": false, "..": false,
	} {
		_, err := New(name, "/state")
		if (err == nil) != ok {
			t.Errorf("New(%q) = %v, want ok = %t", name, err, ok)
		}
	}
	if _, err := New("main", "state"); err == nil {
		t.Error("New() takes a relative state folder")
	}
}

func TestHierarchiesOfBothVersionsAreFound(t *testing.T) {
	tests := map[string]struct {
		mountinfo string
		want      []hierarchy
	}{
		"version 2": {
			mountinfo: "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
			want:      []hierarchy{{Mount: "/sys/fs/cgroup", V2: true}},
		},
		"version 1 beside 2": {
			mountinfo: "24 1 0:22 / /sys rw - sysfs sysfs rw\n" +
				"31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n" +
				"32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/x,name=systemd\n" +
				"33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" +
				"34 30 0:30 / /mnt/cgroup rw - cgroup cgroup rw,pids\n",
			want: []hierarchy{
				{Mount: "/sys/fs/cgroup/cpu,cpuacct", Options: "cpu,cpuacct"},
				{Mount: "/sys/fs/cgroup/systemd", Options: "none,name=systemd"},
				{Mount: "/sys/fs/cgroup/unified", V2: true},
			},
		},
		"none": {mountinfo: "24 1 0:22 / /sys rw - sysfs sysfs rw\n\nbroken line\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := parseHierarchies(tt.mountinfo); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("parseHierarchies() = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestMountsBelowAFolderAreFound(t *testing.T) {
	mountinfo := "1 0 8:1 / / rw - ext4 /dev/a rw\n" +
		"2 1 0:1 / /state/machines/main/disk rw - tmpfs t rw\n" +
		`3 1 0:1 / /state/machines/main/a\040b rw - tmpfs t rw` + "\n" +
		"4 1 0:1 / /state/machines/mainly rw - tmpfs t rw\n"
	want := []string{"/state/machines/main/disk", "/state/machines/main/a b"}
	if got := MountsBelow(mountinfo, "/state/machines/main"); !reflect.DeepEqual(got, want) {
		t.Errorf("MountsBelow() = %q, want %q", got, want)
	}
}

func TestOnlyReachableResolversAreTaken(t *testing.T) {
	text := "# comment\nsearch example.com\nnameserver 127.0.0.53\nnameserver 192.0.2.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver\nnameserver 2001:db8::53\n"
	if got := parseResolvers(text); !reflect.DeepEqual(got, []string{"192.0.2.53"}) {
		t.Errorf("parseResolvers() = %q, want [192.0.2.53]", got)
	}
}

func TestRulesLetOutAndNobodyIn(t *testing.T) {
	for file, settings := range map[string]Settings{"rules.nft": {Number: 1}, "rules6.nft": {Number: 31, IPv6: true}} {
		want, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if got := rules("kubepanel-main", "kp-main", settings); got != string(want) {
			t.Errorf("rules() =\n%s\nwant %s:\n%s", got, file, want)
		}
	}
}

func TestFileIsReplacedWholeAndKeptWhenEqual(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "file")
	for _, text := range []string{"one", "two"} {
		if err := WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != text || err != nil {
			t.Errorf("file = %q, %v; want %q", got, err, text)
		}
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Error("an equal file was written again")
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("folder holds %v, %v; want the file alone", entries, err)
	}
}

func TestMachineIsLockedOnce(t *testing.T) {
	m, _ := New("locked", t.TempDir())
	first, err := m.Lock(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	// A program that was handed the lock keeps it when the one who started it is gone.
	heir := exec.Command("sleep", "60")
	heir.ExtraFiles = []*os.File{first}
	if err := heir.Start(); err != nil {
		t.Fatal(err)
	}
	first.Close()
	soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var said strings.Builder
	if _, err := m.Lock(soon, &said); !errors.Is(err, ErrBusy) {
		t.Errorf("second Lock() = %v, want %v", err, ErrBusy)
	}
	if !strings.Contains(said.String(), "waiting") {
		t.Errorf("said %q, want that it waits", said.String())
	}
	_ = heir.Process.Kill()
	_ = heir.Wait()
	again, err := m.Lock(t.Context(), io.Discard)
	if err != nil {
		t.Fatalf("Lock() after the first let go = %v, want nil", err)
	}
	again.Close()
}
