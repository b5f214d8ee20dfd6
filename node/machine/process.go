package machine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Process is a process that can't be mistaken for a later one of the same
// number: the kernel gives numbers again, but not with the same start time.
type Process struct {
	PID int `json:"pid"`
	// Start is field 22 of /proc/PID/stat, in ticks since boot (proc(5)).
	Start uint64 `json:"start"`
	// Boot tells this boot from others, whose ticks begin anew.
	Boot string `json:"boot"`
}

// Identify reads the identity of a running process.
func Identify(pid int) (Process, error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return Process{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	start, err := startTime(stat)
	if err != nil {
		return Process{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	return Process{PID: pid, Start: start, Boot: bootID()}, nil
}

// startTime finds field 22. The second field is the program's name in
// parentheses and may hold anything, so fields are counted from its end.
func startTime(stat []byte) (uint64, error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, errors.New("no program name in its status line")
	}
	fields := strings.Fields(string(stat[end+1:]))
	const startTimeAfterName = 22 - 3
	if len(fields) <= startTimeAfterName {
		return 0, fmt.Errorf("its status line has %d fields after the name", len(fields))
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return 0, os.ErrProcessDone
	}
	return strconv.ParseUint(fields[startTimeAfterName], 10, 64)
}

func bootID() string {
	// Without it (no /proc) nothing else here works either, so "" is as good.
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

// Alive tells whether this very process still runs.
func (p Process) Alive() bool {
	if p.PID <= 0 {
		return false
	}
	now, err := Identify(p.PID)
	return err == nil && now == p
}

// Signal reaches this very process and never another of its number.
func (p Process) Signal(signal unix.Signal) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return fmt.Errorf("signal process %d: %w", p.PID, err)
	}
	defer unix.Close(fd)
	// The descriptor holds whoever has the number now; only then is looking safe.
	if !p.Alive() {
		return os.ErrProcessDone
	}
	if err := unix.PidfdSendSignal(fd, signal, nil, 0); err != nil {
		return fmt.Errorf("signal process %d: %w", p.PID, err)
	}
	return nil
}

// Gone waits until the process has ended.
func (p Process) Gone(timeout time.Duration) bool {
	for end := time.Now().Add(timeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if !p.Alive() {
			return true
		}
	}
	return !p.Alive()
}

func (p Process) keep(path string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return WriteFile(path, append(data, '\n'), 0o600)
}

// readProcess gives a dead process when there is no such file or it can't be
// read: either way nobody is known to run.
func readProcess(path string) Process {
	var p Process
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &p) != nil {
		return Process{}
	}
	return p
}

func (m Machine) daemonFile() string { return filepath.Join(m.Dir(), "daemon.pid") }
func (m Machine) initFile() string   { return filepath.Join(m.Dir(), "init.pid") }

// Daemon is the outside process, Init the machine's pid 1 as seen from outside.
func (m Machine) Daemon() Process { return readProcess(m.daemonFile()) }

// Init is the machine's first process by its number on the computer.
func (m Machine) Init() Process { return readProcess(m.initFile()) }

// InitStarted is when the running machine was started; zero without one.
func (m Machine) InitStarted() time.Time {
	info, err := os.Stat(m.initFile())
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Running tells whether both halves of the machine live.
func (m Machine) Running() bool { return m.Daemon().Alive() && m.Init().Alive() }
