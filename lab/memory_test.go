package lab

import (
	"os"
	"testing"
)

func TestPodCgroupInBothHierarchies(t *testing.T) {
	tests := map[string]struct{ lines, folder, usage string }{
		"version 1": {
			"5:cpu,cpuacct:/x/kubepods/pod" + podUID + "/abc\n4:memory:/x/kubepods/pod" + podUID + "/abc\n0::/\n",
			"/sys/fs/cgroup/memory/x/kubepods/pod" + podUID, "memory.usage_in_bytes",
		},
		"version 2": {
			"0::/kubepods.slice/kubepods-pod0b7ec1f6_7b1c_4f2f_9f0c_2f8f1f1c7a11.slice/cri-abc.scope\n",
			"/sys/fs/cgroup/kubepods.slice/kubepods-pod0b7ec1f6_7b1c_4f2f_9f0c_2f8f1f1c7a11.slice", "memory.current",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			folder, usage, _, err := podCgroup(tt.lines, podUID)
			if err != nil || folder != tt.folder || usage != tt.usage {
				t.Errorf("podCgroup = %s, %s, %v, want %s, %s", folder, usage, err, tt.folder, tt.usage)
			}
		})
	}
	if _, _, _, err := podCgroup("0::/user.slice\n", podUID); err == nil {
		t.Error("podCgroup found a pod where there is none")
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
