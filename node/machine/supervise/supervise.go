package supervise

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// containersPatience is how long containers get to end by themselves; a
// database writes out its pages in it.
const containersPatience = 20 * time.Second

// Supervisor is the running list.
type Supervisor struct {
	path    string
	log     *slog.Logger
	owned   *children
	config  Config
	keepers []*keeper
}

// New makes a supervisor for the list at path.
func New(path string, log *slog.Logger) *Supervisor {
	return &Supervisor{path: path, log: log, owned: newChildren()}
}

// Run keeps the programs running until ctx ends, then stops them in order.
// SIGHUP reads the list again.
func (s *Supervisor) Run(ctx context.Context) error {
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	reaping, stopReaping := context.WithCancel(context.Background())
	defer stopReaping()
	go s.owned.bury(reaping)
	if err := s.reload(); err != nil {
		// A list that can't be read may be mended and read again; a machine that
		// ends because of it would take every container along.
		s.log.Error("read the list of programs", "error", err)
	}
	for {
		select {
		case <-ctx.Done():
			s.shutDown()
			return nil
		case <-again:
			if err := s.reload(); err != nil {
				s.log.Error("read the list of programs", "error", err)
			}
		}
	}
}

// reload starts, restarts and stops what the list now says. Programs that are
// as they were go on untouched.
func (s *Supervisor) reload() error {
	config, err := ReadConfig(s.path)
	if err != nil {
		return err
	}
	s.config = config
	old := s.keepers
	s.keepers = nil
	for _, program := range config.Programs {
		at := slices.IndexFunc(old, func(k *keeper) bool { return k.program.same(program) })
		if at >= 0 {
			s.keepers = append(s.keepers, old[at])
			old = slices.Delete(old, at, at+1)
			continue
		}
		if at := slices.IndexFunc(old, func(k *keeper) bool { return k.program.Name == program.Name }); at >= 0 {
			s.log.Info("changed; restarting", "program", program.Name)
			old[at].end()
			old = slices.Delete(old, at, at+1)
		}
		k, err := keep(context.Background(), program, config.Logs, s.owned, s.log)
		if err != nil {
			return err
		}
		s.keepers = append(s.keepers, k)
	}
	for _, k := range old {
		k.end()
	}
	return nil
}

// shutDown ends programs last to first: the kubelet, which would start
// containers again, then the containers, then their runtime.
func (s *Supervisor) shutDown() {
	for i, k := range slices.Backward(s.keepers) {
		if i == 0 && s.config.Containers != nil {
			s.endContainers()
		}
		s.log.Info("stopping", "program", k.program.Name)
		k.end()
	}
}

// endContainers asks every container to end, and kills those that do not.
func (s *Supervisor) endContainers() {
	ctx, cancel := context.WithTimeout(context.Background(), containersPatience)
	defer cancel()
	pids := s.containerProcesses(ctx)
	s.log.Info("stopping containers", "count", len(pids))
	for _, pid := range pids {
		signal := syscall.SIGTERM
		if slices.Contains(s.config.Containers.Abrupt, commandName(pid)) {
			signal = syscall.SIGKILL
		}
		_ = syscall.Kill(pid, signal)
	}
	for len(pids) > 0 {
		pids = slices.DeleteFunc(pids, func(pid int) bool { return syscall.Kill(pid, 0) != nil })
		select {
		case <-ctx.Done():
			s.log.Warn("containers do not end; killing them", "count", len(pids))
			for _, pid := range pids {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// containerProcesses asks the runtime for the first process of every container.
func (s *Supervisor) containerProcesses(ctx context.Context) []int {
	list := exec.CommandContext(ctx, s.config.Containers.CTR, "--address", s.config.Containers.Address, "--namespace", "k8s.io", "tasks", "list")
	var output bytes.Buffer
	list.Stdout, list.Stderr = &output, os.Stderr
	if err := s.owned.start(list); err != nil {
		s.log.Error("list containers", "error", err)
		return nil
	}
	defer s.owned.forget(list.Process.Pid)
	if err := list.Wait(); err != nil {
		s.log.Error("list containers", "error", fmt.Errorf("ctr: %w", err))
		return nil
	}
	return parseTasks(output.String())
}

func commandName(pid int) string {
	// Without a name it is treated like any other.
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}

// parseTasks reads the table "TASK PID STATUS" and leaves out what has stopped.
func parseTasks(table string) []int {
	var pids []int
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] == "STOPPED" {
			continue
		}
		if pid, err := strconv.Atoi(fields[1]); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}
