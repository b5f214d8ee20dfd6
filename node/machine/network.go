package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrOccupied says that another state folder's machine of this name is there.
var ErrOccupied = errors.New("a machine of this name belongs to another state folder")

// rules is the machine's own nft table. Masquerading gives it the computer's
// way out in both families. Nobody but this computer opens connections to the machine: packets
// are forwarded once ip_forward is on, and its ports are not meant for the LAN.
func rules(table, bridge string, s Settings) string {
	masquerade := fmt.Sprintf("ip saddr %s oifname != %q masquerade", s.Subnet(), bridge)
	if s.IPv6 {
		masquerade += fmt.Sprintf("\n\t\tip6 saddr %s/64 oifname != %q masquerade", s.Gateway6(), bridge)
	}
	return fmt.Sprintf(`table inet %[1]s {
	chain forward {
		type filter hook forward priority filter; policy accept;
		oifname "%[2]s" iifname != "%[2]s" ct state new drop
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		%[3]s
	}
}
`, table, bridge, masquerade)
}

// replaceRules is one transaction: adding the table first makes deleting it
// succeed whether it was there or not.
func replaceRules(table, bridge string, s Settings) string {
	return fmt.Sprintf("add table inet %[1]s\ndelete table inet %[1]s\n%[2]s", table, rules(table, bridge, s))
}

// makeBridge makes the computer's side of the network and marks it as this
// state folder's, so that two of them never tear down each other's.
func (m Machine) makeBridge(ctx context.Context, s Settings) error {
	steps := [][]string{
		{"link", "add", m.bridge(), "type", "bridge"},
		{"link", "set", m.bridge(), "alias", m.State},
		{"link", "set", m.bridge(), "mtu", strconv.Itoa(MTU())},
		{"address", "add", s.Gateway() + "/24", "dev", m.bridge()},
	}
	if s.IPv6 {
		// Nobody else has it: waiting to find that out would only take time.
		steps = append(steps, []string{"-6", "address", "add", s.Gateway6() + "/64", "dev", m.bridge(), "nodad"})
	}
	steps = append(steps, []string{"link", "set", m.bridge(), "up"})
	for _, step := range steps {
		if err := run(ctx, "", "ip", step...); err != nil {
			return err
		}
	}
	return run(ctx, replaceRules(m.table(), m.bridge(), s), "nft", "-f", "-")
}

// plug joins a machine's network namespace to the bridge.
func (m Machine) plug(ctx context.Context, pid int) error {
	// A dead machine's end goes with its namespace only some time later; its address must not answer meanwhile.
	if err := m.unplug(ctx); err != nil {
		return err
	}
	mtu := strconv.Itoa(MTU())
	steps := [][]string{
		{"link", "add", m.veth(), "mtu", mtu, "type", "veth", "peer", "name", "eth0", "mtu", mtu, "netns", strconv.Itoa(pid)},
		{"link", "set", m.veth(), "master", m.bridge(), "up"},
	}
	for _, step := range steps {
		if err := run(ctx, "", "ip", step...); err != nil {
			return err
		}
	}
	return nil
}

func (m Machine) unplug(ctx context.Context) error { return removeLink(ctx, m.veth()) }

func removeLink(ctx context.Context, name string) error {
	if !linkExists(name) {
		return nil
	}
	err := run(ctx, "", "ip", "link", "delete", name)
	if err != nil && !linkExists(name) {
		return nil // the kernel was faster
	}
	return err
}

func linkExists(name string) bool {
	_, err := os.Stat(filepath.Join("/sys/class/net", name))
	return err == nil
}

// removeNetwork takes away bridge, veth and table.
func (m Machine) removeNetwork(ctx context.Context) error {
	err := errors.Join(m.unplug(ctx), removeLink(ctx, m.bridge()))
	if _, missing := exec.LookPath("nft"); missing != nil {
		return err // without the program there was never a table
	}
	table := fmt.Sprintf("add table inet %[1]s\ndelete table inet %[1]s\n", m.table())
	return errors.Join(err, run(ctx, table, "nft", "-f", "-"))
}

// owned refuses to touch a bridge that another state folder's machine made.
func (m Machine) owned() error {
	alias, err := os.ReadFile(filepath.Join("/sys/class/net", m.bridge(), "ifalias"))
	owner := strings.TrimSpace(string(alias))
	if err != nil || owner == "" || owner == m.State {
		return nil
	}
	if (Machine{Name: m.Name, State: owner}).Daemon().Alive() {
		return fmt.Errorf("bridge %s: %w (%s): choose another name with --machine, or take that one down first", m.bridge(), ErrOccupied, owner)
	}
	return nil
}

// configure gives the machine its addresses; it runs inside, in the new network namespace.
func configure(ctx context.Context, s Settings) error {
	steps := [][]string{
		{"link", "set", "lo", "up"},
		{"address", "add", s.Address() + "/24", "dev", "eth0"},
		{"link", "set", "eth0", "up"},
		{"route", "add", "default", "via", s.Gateway()},
	}
	if s.IPv6 {
		steps = append(steps,
			[]string{"-6", "address", "add", s.Address6() + "/64", "dev", "eth0", "nodad"},
			[]string{"-6", "route", "add", "default", "via", s.Gateway6(), "dev", "eth0"})
	}
	for _, step := range steps {
		if err := run(ctx, "", "ip", step...); err != nil {
			return err
		}
	}
	return nil
}

// MTU is the packet size of the computer's own way out: a machine that
// sent larger ones would lose them where path discovery is filtered.
func MTU() int {
	const ethernet = 1500
	data, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return ethernet
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 8 || fields[1] != "00000000" {
			continue
		}
		if link, err := net.InterfaceByName(fields[0]); err == nil && link.MTU < ethernet {
			return link.MTU
		}
	}
	return ethernet
}
