package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// These settings of the kernel belong to the whole computer, not to a network
// namespace. kubelet writes some of them, we write others; all are put back by
// the last machine that goes down.
func computerWide() []string {
	return []string{
		"net/ipv4/ip_forward",
		"fs/inotify/max_user_instances", "fs/inotify/max_user_watches",
		"vm/overcommit_memory", "vm/panic_on_oom",
		"kernel/panic", "kernel/panic_on_oops",
		"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
	}
}

// atLeast are the values a node with a hundred pods needs; Debian's defaults
// (128 watches' instances for all of root) end at about thirty.
func atLeast() map[string]int {
	return map[string]int{
		"net/ipv4/ip_forward":           1,
		"fs/inotify/max_user_instances": 8192,
		"fs/inotify/max_user_watches":   524288,
	}
}

// remembered is what the settings were before the first machine came up.
type remembered struct {
	// Boot: after a restart of the computer the values are the system's own again.
	Boot   string            `json:"boot"`
	Values map[string]string `json:"values"`
}

func (m Machine) sysctlFile() string { return filepath.Join(m.State, "sysctls.json") }

// raiseSysctls remembers the settings once per boot and raises those that are too low.
func (m Machine) raiseSysctls() error {
	if before, err := m.readSysctls(); err != nil {
		return err
	} else if before.Boot != bootID() {
		if err := m.rememberSysctls(); err != nil {
			return err
		}
	}
	for name, least := range atLeast() {
		have, err := strconv.Atoi(readSysctl(name))
		if err == nil && have >= least {
			continue
		}
		if err := writeSysctl(name, strconv.Itoa(least)); err != nil {
			return err
		}
	}
	return nil
}

func (m Machine) rememberSysctls() error {
	now := remembered{Boot: bootID(), Values: map[string]string{}}
	for _, name := range computerWide() {
		if value := readSysctl(name); value != "" {
			now.Values[name] = value
		}
	}
	data, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		return fmt.Errorf("remember kernel settings: %w", err)
	}
	return WriteFile(m.sysctlFile(), append(data, '\n'), 0o600)
}

func (m Machine) readSysctls() (remembered, error) {
	var before remembered
	data, err := os.ReadFile(m.sysctlFile())
	if errors.Is(err, fs.ErrNotExist) {
		return before, nil
	}
	if err != nil {
		return before, fmt.Errorf("read remembered kernel settings: %w", err)
	}
	if err := json.Unmarshal(data, &before); err != nil {
		return before, fmt.Errorf("read %s: %w", m.sysctlFile(), err)
	}
	return before, nil
}

// restoreSysctls puts back what was, unless another machine is still up.
func (m Machine) restoreSysctls() error {
	entries, err := os.ReadDir(filepath.Join(m.State, "machines"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list machines: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() != m.Name && (Machine{Name: entry.Name(), State: m.State}).Daemon().Alive() {
			return nil
		}
	}
	// Nor may one of another state folder lose its way out.
	bridges, err := filepath.Glob("/sys/class/net/kp-*")
	if err != nil || len(slices.DeleteFunc(bridges, func(path string) bool { return filepath.Base(path) == m.bridge() })) > 0 {
		return err
	}
	before, err := m.readSysctls()
	if err != nil {
		return err
	}
	if before.Boot == bootID() {
		for name, value := range before.Values {
			if readSysctl(name) != value {
				err = errors.Join(err, writeSysctl(name, value))
			}
		}
	}
	if err != nil {
		return err
	}
	if err := os.Remove(m.sysctlFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget kernel settings: %w", err)
	}
	return nil
}

func readSysctl(name string) string {
	// A kernel without the setting has nothing to remember.
	data, _ := os.ReadFile(filepath.Join("/proc/sys", name))
	return strings.TrimSpace(string(data))
}

func writeSysctl(name, value string) error {
	if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644); err != nil {
		return fmt.Errorf("set %s to %s: %w", name, value, err)
	}
	return nil
}
