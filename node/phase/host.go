package phase

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"kubepanel.io/kubepanel/node/machine"
)

// host is this computer itself, a server with systemd: one unit runs the
// supervisor, and the node's folders are where Kubernetes has them everywhere.
type host struct{ machine.Machine }

const (
	sysctlFile    = "/etc/sysctl.d/90-kubepanel.conf"
	systemdRuns   = "/run/systemd/system"
	unifiedCgroup = "/sys/fs/cgroup/cgroup.controllers"
	// sysctls are those a node needs; see machine's atLeast for the reasons.
	sysctls = "net.ipv4.ip_forward = 1\nfs.inotify.max_user_instances = 8192\nfs.inotify.max_user_watches = 524288\n"
)

func (h host) unitName() string { return "kubepanel-" + h.Name + ".service" }
func (h host) unitFile() string { return filepath.Join("/etc/systemd/system", h.unitName()) }

// unit is the supervisor's unit. The supervisor ends containers before their
// runtime; whatever is left of its cgroup after that is killed (mixed).
func (h host) unit() string {
	return fmt.Sprintf(`# Written by 'node up --host'.
[Unit]
Description=Kubepanel node %[1]s
Documentation=https://kubernetes.io/docs/
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=%[2]s supervise --config %[3]s
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=2
KillMode=mixed
TimeoutStopSec=60
Delegate=yes
OOMScoreAdjust=-999
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`, h.Name, h.Executable(), h.Supervised())
}

func (h host) Start(ctx context.Context) (machine.Settings, string, error) {
	address, err := ownAddress()
	if err != nil {
		return machine.Settings{}, "", err
	}
	settings := machine.Settings{Host: true, HostAddress: address, HTTPPort: 80, HTTPSPort: 443, SSHPort: 2222}
	steps := []func() error{
		func() error { return h.Keep(settings) },
		func() error { return os.MkdirAll(h.Logs(), 0o755) },
		h.InstallSelf,
		func() error { return machine.WriteFile(sysctlFile, []byte(sysctls), 0o644) },
		func() error { return machine.WriteFile(h.unitFile(), []byte(h.unit()), 0o644) },
		func() error { return command(ctx, "sysctl", "--quiet", "--load", sysctlFile) },
		func() error { return command(ctx, "systemctl", "daemon-reload") },
		func() error { return command(ctx, "systemctl", "enable", "--quiet", "--now", h.unitName()) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return settings, "", err
		}
	}
	return settings, "this computer, " + address + ", under " + h.unitName(), nil
}

func (h host) Stop(ctx context.Context) error {
	if _, err := os.Stat(h.unitFile()); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := command(ctx, "systemctl", "disable", "--quiet", "--now", h.unitName()); err != nil {
		return err
	}
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	// What pods had mounted; deepest last in the list, so first here.
	for _, folder := range []string{"/var/lib/kubelet", volumeFolder} {
		for _, path := range slices.Backward(machine.MountsBelow(string(data), folder)) {
			if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
				return fmt.Errorf("unmount %s: %w", path, err)
			}
		}
	}
	return nil
}

func (h host) Remove(ctx context.Context) error {
	err := errors.Join(os.RemoveAll(h.unitFile()), os.RemoveAll(sysctlFile), command(ctx, "systemctl", "daemon-reload"))
	for _, folder := range machine.Kept() {
		if folder != "/var/log" {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}
	return errors.Join(err, os.RemoveAll("/var/log/pods"), os.RemoveAll("/var/log/containers"), h.Machine.Remove())
}

func (h host) Running() bool {
	return exec.Command("systemctl", "is-active", "--quiet", h.unitName()).Run() == nil
}

// Since is when the computer started: containers go on while the unit is restarted.
func (h host) Since() time.Time {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(info.Uptime) * time.Second)
}

// Ours: only what a run of ours began may be thrown away.
func (h host) Ours() bool {
	_, err := os.Stat(h.unitFile())
	return err == nil
}

func (h host) Problems() []string {
	var found []string
	if _, err := os.Stat(systemdRuns); err != nil {
		found = append(found, "systemd does not run here, and --host needs it: leave --host out to get a machine of namespaces.")
	}
	if h.Ours() {
		return found
	}
	if entries, err := os.ReadDir("/etc/kubernetes"); err == nil && len(entries) > 0 {
		found = append(found, "Another Kubernetes is configured in /etc/kubernetes: remove it ('kubeadm reset'), or leave --host out.")
	}
	if _, err := os.Stat(containerdSocket); err == nil {
		found = append(found, "Another containerd runs here (Docker brings one): remove it, or leave --host out.")
	}
	for _, port := range []int{80, 443, 2222, 2379, 2380, 6443, 10250} {
		listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
		if err != nil {
			found = append(found, fmt.Sprintf("Port %d is taken: stop what listens there ('ss -ltnp' shows it).", port))
			continue
		}
		listener.Close()
	}
	return found
}

func (h host) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if program := filepath.Join(h.Programs(), name); filepath.Base(name) == name {
		if _, err := os.Stat(program); err == nil {
			name = program
		}
	}
	run := exec.CommandContext(ctx, name, args...)
	run.Env = []string{"PATH=" + h.Programs() + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
	run.Dir = "/"
	return run
}

func (h host) Path(inside string) string { return inside }

func (h host) Hostname() string {
	// kubelet takes the same, in lower case.
	name, _ := os.Hostname()
	return strings.ToLower(name)
}

func (h host) Reload(ctx context.Context) error {
	return command(ctx, "systemctl", "reload", h.unitName())
}

// SystemdCgroups: with version 2 systemd owns the tree; with version 1 the
// kubelet's own way is the safer one.
func (h host) SystemdCgroups() bool {
	_, err := os.Stat(unifiedCgroup)
	return err == nil
}

// ownAddress is the one this computer speaks from to the Internet. Nothing is
// sent: a datagram socket's peer is only looked up in the routes.
func ownAddress() (string, error) {
	// A documentation address (RFC 5737): every default route leads there.
	socket, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return "", fmt.Errorf("find this computer's address: it has no default route: %w", err)
	}
	defer socket.Close()
	address, _, err := net.SplitHostPort(socket.LocalAddr().String())
	return address, err
}

func command(ctx context.Context, name string, args ...string) error {
	if said, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, lastLines(string(said)))
	}
	return nil
}
