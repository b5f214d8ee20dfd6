package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Prefix6 holds all our IPv6 addresses: machines, pods and Services. It is a unique
// local one (RFC 4193, section 3.1), not routed on the Internet; its 40 bits spell
// "Kubep", so that a person knows it again.
const Prefix6 = "fd4b:7562:6570::/48"

// Address is the node's own.
func (s Settings) Address() string {
	if s.Host {
		return s.HostAddress
	}
	return fmt.Sprintf("10.213.%d.2", s.Number)
}

// Address6 is the node's own of the other family, "" when it has none.
func (s Settings) Address6() string { return s.six("2") }

// Reserved are the networks of the node's own addresses: machines' whole ranges, or
// the one address of a computer whose network is not ours to close.
func (s Settings) Reserved() []string {
	switch {
	case s.Host:
		return []string{s.HostAddress + "/32"}
	case s.IPv6:
		return []string{"10.213.0.0/16", Prefix6}
	}
	return []string{"10.213.0.0/16"}
}

// Gateway is the computer's address on the bridge: the forwarder speaks from it.
func (s Settings) Gateway() string { return fmt.Sprintf("10.213.%d.1", s.Number) }

// Gateway6 is the same of the other family, "" when there is none.
func (s Settings) Gateway6() string { return s.six("1") }

// Subnet holds both ends.
func (s Settings) Subnet() string { return fmt.Sprintf("10.213.%d.0/24", s.Number) }

func (s Settings) six(host string) string {
	if !s.IPv6 || s.Host {
		return ""
	}
	return fmt.Sprintf("fd4b:7562:6570:%x::%s", s.Number, host)
}

// HasIPv6 tells whether the kernel can do IPv6 and this computer has not switched it
// off.
func HasIPv6() bool {
	if _, err := os.Stat("/proc/net/if_inet6"); err != nil {
		return false
	}
	return readSysctl("net/ipv6/conf/all/disable_ipv6") == "0" && readSysctl("net/ipv6/conf/default/disable_ipv6") == "0"
}

// canFilter6 tries, in a network namespace of its own, what a policy for IPv6 needs:
// addresses that nobody could wall off must not be handed out.
func canFilter6(ctx context.Context) bool {
	for _, probe := range []string{
		"ipset create kubepanel-probe hash:net family inet6",
		"nft add table ip6 kubepanel-probe",
		"ip -6 address add fd4b:7562:6570::1/64 dev lo",
	} {
		if exec.CommandContext(ctx, "unshare", append([]string{"--net", "--"}, strings.Fields(probe)...)...).Run() != nil {
			return false
		}
	}
	return true
}
