package phase

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"kubepanel.io/kubepanel/node/machine"
)

// Status is how a machine, its node and the platform are.
type Status struct {
	Machine   string `json:"machine"`
	Running   bool   `json:"running"`
	Address   string `json:"address,omitempty"`
	HTTPPort  int    `json:"httpPort,omitempty"`
	HTTPSPort int    `json:"httpsPort,omitempty"`
	SSHPort   int    `json:"sshPort,omitempty"`
	// NodeReady and Platform can only be known of a running machine.
	NodeReady bool     `json:"nodeReady"`
	Message   string   `json:"message,omitempty"`
	Platform  []string `json:"platformWaiting"`
	Workloads int      `json:"platformWorkloads"`
	Sites     int      `json:"sites"`
	// DiskBytes is what the machine's own disk takes, CacheBytes what was built.
	DiskBytes  int64 `json:"diskBytes"`
	CacheBytes int64 `json:"cacheBytes"`
}

// Look asks the machine and its API server. A part that does not answer is
// told in the message; that is a status, not an error.
func Look(ctx context.Context, m machine.Machine) (Status, error) {
	status := Status{Machine: m.Name, Platform: []string{}}
	settings, found, err := m.Settings()
	if err != nil {
		return status, err
	}
	where := PlaceOf(m, settings)
	status.Running = where.Running()
	if !found {
		status.Message = "never brought up"
		return status, nil
	}
	status.Address, status.HTTPPort, status.HTTPSPort = settings.Address(), settings.HTTPPort, settings.HTTPSPort
	status.SSHPort = settings.SSHPort
	status.DiskBytes, status.CacheBytes = diskUse(m.Disk()), diskUse(filepath.Join(m.State, "cache"))
	if !status.Running {
		status.Message = "down; 'node up' brings it and its sites back"
		return status, nil
	}
	if err := status.ask(ctx, m, where.Hostname()); err != nil {
		status.Message = err.Error()
	}
	return status, nil
}

func (s *Status) ask(ctx context.Context, m machine.Machine, node string) error {
	text, err := os.ReadFile(m.Kubeconfig())
	if err != nil {
		return fmt.Errorf("no cluster yet: %w", err)
	}
	api, err := newClient(text)
	if err != nil {
		return err
	}
	if s.NodeReady, s.Message, err = readiness(ctx, api, node); err != nil {
		return err
	}
	if s.NodeReady {
		s.Message = ""
	}
	all, err := workloads(ctx, api, platformNamespace)
	if err != nil {
		return err
	}
	s.Workloads = len(all)
	for _, w := range all {
		if waits := w.waiting(); waits != "" {
			s.Platform = append(s.Platform, waits)
		}
	}
	if len(all) == 0 {
		return nil
	}
	sites, err := read[struct{ Items []domain }](ctx, api, domainsPath)
	s.Sites = len(sites.Items)
	return err
}

// String is the status for a person.
func (s Status) String() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s "+format+"\n", append([]any{name}, args...)...)
	}
	state := "down"
	if s.Running {
		state = "up"
	}
	line("machine", "%s, %s", s.Machine, state)
	if s.Address != "" {
		line("address", "%s, ports %d and %d, SFTP %d", s.Address, s.HTTPPort, s.HTTPSPort, s.SSHPort)
		line("disk", "%.1f GiB, cache of what was built %.1f GiB", gib(s.DiskBytes), gib(s.CacheBytes))
	}
	if s.Running {
		ready := "not ready"
		if s.NodeReady {
			ready = "Ready"
		}
		line("node", "%s", ready)
		switch {
		case s.Workloads == 0:
			line("platform", "not installed")
		case len(s.Platform) > 0:
			line("platform", "%s", strings.Join(s.Platform, "; "))
		default:
			line("platform", "%d workloads serve, %d sites", s.Workloads, s.Sites)
		}
	}
	if s.Message != "" {
		line("message", "%s", s.Message)
	}
	return b.String()
}

func gib(bytes int64) float64 { return float64(bytes) / gibibyte }

// diskUse adds up what files take on the disk, hard links once.
func diskUse(folder string) int64 {
	var total int64
	seen := map[uint64]bool{}
	// What vanishes while we look takes no room.
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		var stat unix.Stat_t
		if unix.Lstat(path, &stat) == nil && !seen[stat.Ino] {
			seen[stat.Ino] = true
			const statBlock = 512 // stat(2), whatever the file system's own blocks are
			total += stat.Blocks * statBlock
		}
		return nil
	})
	return total
}
