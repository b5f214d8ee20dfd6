package lab

import (
	"os"
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
