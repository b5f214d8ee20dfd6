package supervise

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// children are the processes this program started itself and waits for. All
// others that end as its children were orphans, which the first process of a
// machine inherits and has to bury.
type children struct {
	mu   sync.Mutex
	pids map[int]bool
}

func newChildren() *children { return &children{pids: map[int]bool{}} }

// start registers under the lock, so that the reaper never takes a child away
// from whoever waits for it.
func (c *children) start(command *exec.Cmd) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := command.Start(); err != nil {
		return err
	}
	c.pids[command.Process.Pid] = true
	return nil
}

func (c *children) forget(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pids, pid)
}

// bury collects the orphans among the dead until ctx ends.
func (c *children) bury(ctx context.Context) {
	deaths := make(chan os.Signal, 1)
	signal.Notify(deaths, unix.SIGCHLD)
	defer signal.Stop(deaths)
	for {
		select {
		case <-ctx.Done():
			return
		case <-deaths:
			c.mu.Lock()
			for _, pid := range deadChildren(os.Getpid()) {
				if !c.pids[pid] {
					_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
				}
			}
			c.mu.Unlock()
		}
	}
}

// deadChildren finds zombies of a parent in /proc.
func deadChildren(parent int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var dead []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		end := bytes.LastIndexByte(stat, ')')
		if err != nil || end < 0 {
			continue
		}
		// proc(5): state and parent follow the name.
		fields := strings.Fields(string(stat[end+1:]))
		if len(fields) > 1 && fields[0] == "Z" && fields[1] == strconv.Itoa(parent) {
			dead = append(dead, pid)
		}
	}
	return dead
}
