package lab

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestPodCgroupInBothHierarchies(t *testing.T) {
	tests := map[string]struct {
		lines string
		want  memoryGroup
	}{
		"version 1": {
			"5:cpu,cpuacct:/x/kubepods/pod" + podUID + "/abc\n4:memory:/x/kubepods/pod" + podUID + "/abc\n0::/\n",
			memoryGroup{"/sys/fs/cgroup/memory/x/kubepods/pod" + podUID, "memory.usage_in_bytes", "total_"},
		},
		"version 2": {
			"0::/kubepods.slice/kubepods-pod0b7ec1f6_7b1c_4f2f_9f0c_2f8f1f1c7a11.slice/cri-abc.scope\n",
			memoryGroup{"/sys/fs/cgroup/kubepods.slice/kubepods-pod0b7ec1f6_7b1c_4f2f_9f0c_2f8f1f1c7a11.slice", "memory.current", ""},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := podCgroup(tt.lines, podUID); err != nil || got != tt.want {
				t.Errorf("podCgroup = %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
	if got, err := podCgroup("0::/user.slice\n", podUID); err == nil {
		t.Errorf("podCgroup = %+v where there is no pod", got)
	}
}

func TestFieldReadsWholeNames(t *testing.T) {
	const stat = "inactive_file 5\ntotal_inactive_file 4096\n"
	if got, err := field(stat, "total_inactive_file"); got != 4096 || err != nil {
		t.Errorf("field = %v, %v, want 4096", got, err)
	}
	if _, err := field(stat, "file"); err == nil {
		t.Error("field found part of a name")
	}
}

func TestPSSOfThisProcessIsPlausible(t *testing.T) {
	got, err := pss(os.Getpid())
	if err != nil || got < mebibyte || got > 4096*mebibyte {
		t.Errorf("pss = %v, %v", got, err)
	}
}

func TestWorkersAreThoseBelowTheMaster(t *testing.T) {
	inside := []process{
		{pid: 1, name: "pause"}, {pid: 5, parent: 1, name: "php-fpm8.4"}, {pid: 6, parent: 5, name: "php-fpm8.4"}, {pid: 7, parent: 1, name: "nginx"},
	}
	if got := workersOf(inside); got != 1 {
		t.Errorf("workersOf = %d, want 1", got)
	}
}

func TestPartsOfAPodAddUpToItsWorkingSet(t *testing.T) {
	const stat1 = "cache 1\nrss 1\nshmem 1\nactive_file 1\ntotal_cache %d\ntotal_rss %d\ntotal_shmem %d\ntotal_active_file %d\n"
	const stat2 = "file %d\nanon %d\nshmem %d\nactive_file %d\n"
	hierarchies := map[string]struct {
		group memoryGroup
		stat  string
	}{
		"version 1": {memoryGroup{usage: "memory.usage_in_bytes", total: "total_"}, stat1},
		"version 2": {memoryGroup{usage: "memory.current"}, stat2},
	}
	for name, tt := range hierarchies {
		t.Run(name, func(t *testing.T) {
			pod := tt.group
			pod.folder = t.TempDir()
			// In MiB: usage, cache, own, shared, files.
			for folder, v := range map[string][5]int{".": {60, 36, 15, 5, 11}, "abc": {20, 6, 10, 5, 1}, "cri-def.scope": {4, 0, 3, 0, 0}} {
				write(t, filepath.Join(pod.folder, folder, pod.usage), fmt.Sprintln(v[0]*mebibyte))
				write(t, filepath.Join(pod.folder, folder, "memory.stat"),
					fmt.Sprintf(tt.stat, v[1]*mebibyte, v[2]*mebibyte, v[3]*mebibyte, v[4]*mebibyte))
			}
			set, parts, err := podParts(pod, map[string]string{"abc": "app"})
			want := map[string]memoryPart{"app": {10, 5, 1, 4}, partPause: {Own: 3, Kernel: 1}, partLeft: {2, 0, 10, 4}}
			if err != nil || set != 40 || !maps.Equal(parts, want) {
				t.Errorf("podParts = %v, %v, %v, want 40, %v", set, parts, err, want)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
