package phase

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"kubepanel.io/kubepanel/node/machine"
)

// Place is what a node lives in: a machine of namespaces, or this computer
// itself. Phases ask it instead of asking which of the two it is.
type Place interface {
	// Start starts it, or finds it running, and says so.
	Start(ctx context.Context) (machine.Settings, string, error)
	// Stop ends all of the node's programs; what is on disk stays.
	Stop(ctx context.Context) error
	// Remove deletes what a stopped node had on disk.
	Remove(ctx context.Context) error
	Running() bool
	// Since is when it started: nothing that runs there is older.
	Since() time.Time
	// Ours is false while what is on disk may be somebody else's cluster.
	Ours() bool
	// Problems are what stands in the way here, in sentences with their mends.
	Problems() []string
	Command(ctx context.Context, name string, args ...string) *exec.Cmd
	// Path is where one of the node's files is found from outside.
	Path(inside string) string
	Hostname() string
	// Reload has the supervisor read its list of programs again.
	Reload(ctx context.Context) error
	// SystemdCgroups tells whether systemd hands out cgroups there.
	SystemdCgroups() bool
}

// PlaceOf is where a machine's node lives by its settings.
func PlaceOf(m machine.Machine, settings machine.Settings) Place {
	if settings.Host {
		return host{m}
	}
	return namespaces{m}
}

// namespaces is a machine beside others on this computer.
type namespaces struct{ machine.Machine }

func (p namespaces) Start(ctx context.Context) (machine.Settings, string, error) {
	settings, moved, err := p.Choose(ctx)
	if err != nil {
		return settings, "", err
	}
	started, err := p.Machine.Start(ctx)
	if err != nil {
		return settings, "", err
	}
	note := fmt.Sprintf("%s, forwarding 127.0.0.1:%d and :%d, SFTP at :%d", families(settings), settings.HTTPPort, settings.HTTPSPort, settings.SSHPort)
	switch {
	case moved:
		note += " (the ports used before are taken by another program; URLs changed)"
	case settings.HTTPPort != 80:
		note += " (80 and 443 were taken)"
	}
	if settings.SSHPort != 2222 {
		note += " (2222 was taken)"
	}
	if !started {
		note += ", runs already"
	}
	if !started && !p.Current() {
		note += " (with an earlier build of this program: 'node down', then 'node up' changes that)"
	}
	return settings, note, nil
}

// families names the machine's addresses, and says when one family is missing and why.
func families(s machine.Settings) string {
	switch {
	case s.IPv6:
		return s.Address() + " and " + s.Address6()
	case machine.HasIPv6():
		return s.Address() + " (IPv4 only: it was made so, or the kernel can't filter IPv6)"
	}
	return s.Address() + " (IPv4 only: this computer has no IPv6)"
}

// Since: the daemon notes its init when that has built the machine, before
// which no container can run.
func (p namespaces) Since() time.Time { return p.InitStarted() }

func (p namespaces) Remove(context.Context) error { return p.Machine.Remove() }

func (p namespaces) Path(inside string) string { return filepath.Join(p.Disk(), inside) }

// Ours: nobody else writes to a machine's disk.
func (p namespaces) Ours() bool { return true }

// Problems: ports and addresses are chosen to fit.
func (p namespaces) Problems() []string { return nil }

func (p namespaces) Reload(context.Context) error { return p.Init().Signal(unix.SIGHUP) }

// SystemdCgroups: no systemd runs in a machine.
func (p namespaces) SystemdCgroups() bool { return false }
