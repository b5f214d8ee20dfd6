package machine

import (
	"net/netip"
	"os"
	"strings"
)

// Resolvers are the computer's DNS servers as a machine can reach them. A local
// one (systemd-resolved, dnsmasq) listens on loopback, which inside is another
// one; then the servers behind it are taken from systemd-resolved's own list.
func Resolvers() []string {
	for _, path := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if servers := parseResolvers(string(data)); len(servers) > 0 {
			return servers
		}
	}
	return nil
}

// parseResolvers reads resolv.conf(5) and leaves out what only works on this computer.
func parseResolvers(text string) []string {
	var servers []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		address, err := netip.ParseAddr(fields[1])
		// A zone names an interface of the computer, and machines have no IPv6 way out.
		if err != nil || address.IsLoopback() || !address.Unmap().Is4() {
			continue
		}
		servers = append(servers, address.Unmap().String())
	}
	return servers
}
