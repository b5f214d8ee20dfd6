package machine

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// started brings up a machine of its own in a fresh state folder, run by the
// real program, and takes it down after the test.
func started(t *testing.T, name string) Machine {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("namespaces, cgroups and interfaces need root")
	}
	m, err := New(name, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "node")
	build := exec.Command("go", "build", "-o", program, "kubepanel.io/kubepanel/node")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	t.Cleanup(func() {
		if err := m.Stop(context.Background()); err != nil {
			t.Errorf("Stop() = %v, want nil", err)
		}
	})
	start(t, m, program)
	return m
}

// start does what Start does, with a program that has the verbs (a test's own binary has not).
func start(t *testing.T, m Machine, program string) {
	t.Helper()
	if _, _, err := m.Choose(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{m.Logs(), m.rootDir()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(m.Executable(), data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.startDaemon(); err != nil {
		log, _ := os.ReadFile(filepath.Join(m.Logs(), "machine.log"))
		t.Fatalf("startDaemon() = %v, want nil; machine.log:\n%s", err, log)
	}
}

// left lists what of the machine is on the computer outside its folder.
func left(t *testing.T, m Machine) []string {
	t.Helper()
	var found []string
	for _, name := range []string{m.bridge(), m.veth()} {
		if linkExists(name) {
			found = append(found, "interface "+name)
		}
	}
	trees, err := hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	for _, tree := range trees {
		if path := filepath.Join(tree.Mount, m.cgroup()); exists(path) {
			found = append(found, path)
		}
	}
	tables, err := exec.Command("nft", "list", "tables").Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(tables), m.table()) {
		found = append(found, "nft table "+m.table())
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	found = append(found, MountsBelow(string(mounts), m.Dir())...)
	if m.Daemon().Alive() {
		found = append(found, "daemon")
	}
	return found
}

func inside(t *testing.T, m Machine, name string, args ...string) string {
	t.Helper()
	output, err := m.Command(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v inside: %v\n%s", name, args, err, output)
	}
	return string(output)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within 20 s: %s", what)
}

func TestMachineIsItsOwnAndLeavesNothing(t *testing.T) {
	m := started(t, "t-own")
	if got := strings.TrimSpace(inside(t, m, "hostname")); got != "kubepanel-t-own" {
		t.Errorf("hostname inside = %q, want kubepanel-t-own", got)
	}
	if got := inside(t, m, "cat", "/proc/1/comm"); strings.TrimSpace(got) != "node" {
		t.Errorf("first process inside = %q, want node", got)
	}
	settings, _, err := m.Settings()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(settings.Gateway(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	inside(t, m, "bash", "-c", "exec 3<>/dev/tcp/"+settings.Gateway()+"/"+port)
	inside(t, m, "sh", "-c", "echo kept >/var/lib/kubelet/kept; echo lost >/etc/lost; for tree in /sys/fs/cgroup/*/; do mkdir $tree/sub; done")
	if exists("/etc/lost") || exists("/var/lib/kubelet/kept") {
		t.Error("a file written inside is on the computer")
	}
	if !exists(filepath.Join(m.Disk(), "var/lib/kubelet/kept")) {
		t.Error("a file written to a kept folder is not on the machine's disk")
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Fatalf("Stop() = %v, want nil", err)
	}
	if found := left(t, m); len(found) > 0 {
		t.Errorf("left after Stop: %q, want nothing", found)
	}
	if err := m.Remove(); err != nil || exists(m.Dir()) {
		t.Errorf("Remove() = %v, folder there = %t; want nil, false", err, exists(m.Dir()))
	}
}

func TestKilledInitIsStartedAgain(t *testing.T) {
	m := started(t, "t-init")
	inside(t, m, "sh", "-c", "mkdir -p /sys/fs/cgroup/pids/kubepods/pod1; sleep 1000 </dev/null >/dev/null 2>&1 &")
	before := m.Init()
	if err := before.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another init", func() bool { now := m.Init(); return now != before && now.Alive() })
	if output := inside(t, m, "ls", "/sys/fs/cgroup/pids"); strings.Contains(output, "kubepods") {
		t.Errorf("the dead machine's cgroups are still there:\n%s", output)
	}
}

func TestKilledDaemonTakesTheMachineAlongAndStartRepairs(t *testing.T) {
	m := started(t, "t-daemon")
	daemon, first := m.Daemon(), m.Init()
	if err := daemon.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !first.Gone(10*time.Second) || !daemon.Gone(time.Second) {
		t.Fatal("the machine outlives its outside process")
	}
	start(t, m, m.Executable())
	if !m.Running() {
		t.Error("Running() = false after Start, want true")
	}
}

func TestSecondStateFolderDoesNotTouchTheFirstsMachine(t *testing.T) {
	m := started(t, "t-owner")
	other, err := New("t-owner", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Stop(t.Context()); !errors.Is(err, ErrOccupied) {
		t.Errorf("Stop() of the same name elsewhere = %v, want %v", err, ErrOccupied)
	}
	if !m.Running() {
		t.Error("the first machine was stopped")
	}
}
