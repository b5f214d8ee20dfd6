package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
	return append([]string{
		"net/ipv4/ip_forward", forwarding6,
		"fs/inotify/max_user_instances", "fs/inotify/max_user_watches",
		"vm/overcommit_memory", "vm/panic_on_oom",
		"kernel/panic", "kernel/panic_on_oops",
		"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
	}, perInterface()...)
}

const (
	conf6 = "net/ipv6/conf/"
	// forwarding6 also writes itself to every interface, and an interface that
	// forwards hears no router's advertisements any more unless its accept_ra is 2.
	forwarding6 = conf6 + "all/forwarding"
)

// perInterface are the settings of this computer's interfaces that forwarding6 changes
// or makes meaningless.
func perInterface() []string {
	entries, err := os.ReadDir(filepath.Join("/proc/sys", conf6))
	if err != nil {
		return nil // a kernel without IPv6
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if name == "all" || strings.HasPrefix(name, "kp-") || strings.HasPrefix(name, "kv-") {
			continue
		}
		names = append(names, conf6+name+"/forwarding", conf6+name+"/accept_ra")
	}
	return names
}

// forward6 lets pods out by IPv6 without costing this computer its own way out.
func forward6() error {
	if readSysctl(forwarding6) != "0" {
		return nil // it is a router already, or has no IPv6
	}
	for _, name := range perInterface() {
		if strings.HasSuffix(name, "/accept_ra") && readSysctl(name) == "1" {
			if err := writeSysctl(name, "2"); err != nil {
				return err
			}
		}
	}
	return writeSysctl(forwarding6, "1")
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
func (m Machine) raiseSysctls(s Settings) error {
	if before, err := m.readSysctls(); err != nil {
		return err
	} else if err := m.rememberSysctls(before); err != nil {
		return err
	}
	if s.IPv6 {
		if err := forward6(); err != nil {
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

// rememberSysctls adds what is not remembered yet: what an earlier build did not know,
// and interfaces that came since.
func (m Machine) rememberSysctls(now remembered) error {
	if now.Boot != bootID() || now.Values == nil {
		now = remembered{Boot: bootID(), Values: map[string]string{}}
	}
	for _, name := range computerWide() {
		value := readSysctl(name)
		if _, known := now.Values[name]; !known && value != "" {
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
	if err := before.putBack(); err != nil {
		return err
	}
	if err := os.Remove(m.sysctlFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget kernel settings: %w", err)
	}
	return nil
}

func (r remembered) putBack() (err error) {
	if r.Boot != bootID() {
		return nil
	}
	for _, name := range inOrder(r.Values) {
		// An interface that is gone has nothing to put back.
		if have := readSysctl(name); have != "" && have != r.Values[name] {
			err = errors.Join(err, writeSysctl(name, r.Values[name]))
		}
	}
	return err
}

// inOrder sorts names so that the setting of all interfaces comes before those of each.
func inOrder(values map[string]string) []string {
	return slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		if one := a == forwarding6; one != (b == forwarding6) {
			if one {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
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
