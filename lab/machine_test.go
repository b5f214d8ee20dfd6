package lab

import (
	"os"
	"slices"
	"testing"
)

const podUID = "0b7ec1f6-7b1c-4f2f-9f0c-2f8f1f1c7a11"

func TestPodProcessesFindsThePodAndItsShim(t *testing.T) {
	inPod := "4:memory:/kubepods/burstable/pod" + podUID + "/abc\n"
	all := []process{
		{pid: 1, name: "init"},
		{pid: 10, parent: 1, name: "containerd-shim", cgroup: "4:memory:/containerd\n"},
		{pid: 11, parent: 10, name: "pause", cgroup: inPod},
		{pid: 12, parent: 10, name: "php-fpm8.4", cgroup: inPod},
		{pid: 13, parent: 12, name: "php-fpm8.4", cgroup: inPod},
		{pid: 20, parent: 1, name: "containerd-shim", cgroup: "4:memory:/containerd\n"},
		{pid: 21, parent: 20, name: "pause", cgroup: "4:memory:/kubepods/pod-of-another\n"},
	}
	inside, shims := podProcesses(all, podUID)
	if len(inside) != 3 || len(shims) != 1 || shims[0].pid != 10 {
		t.Errorf("podProcesses = %v and shims %v, want 11, 12, 13 and 10", inside, shims)
	}
}

func TestOfPodKnowsBothDrivers(t *testing.T) {
	systemd := process{cgroup: "0::/kubepods.slice/kubepods-burstable-pod0b7ec1f6_7b1c_4f2f_9f0c_2f8f1f1c7a11.slice/cri-x.scope\n"}
	if !systemd.ofPod(podUID) {
		t.Error("a pod's cgroup under systemd is not recognised")
	}
}

func TestProcessesSeesItself(t *testing.T) {
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all, func(p process) bool { return p.pid == os.Getpid() && p.parent == os.Getppid() }) {
		t.Errorf("processes() has %d entries, but not this one", len(all))
	}
}

func TestLocalAddressesReadsTheKernelsTable(t *testing.T) {
	const table = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.213.1.0/24 2 0 2
        |-- 10.213.1.0
           /24 link UNICAST
        |-- 10.213.1.2
           /32 host LOCAL
        |-- 10.213.1.255
           /32 link BROADCAST
Local:
        |-- 127.0.0.1
           /32 host LOCAL
        |-- 10.213.1.2
           /32 host LOCAL
`
	if got, want := localAddresses(table), []string{"10.213.1.2", "127.0.0.1"}; !slices.Equal(got, want) {
		t.Errorf("localAddresses = %v, want %v", got, want)
	}
}
