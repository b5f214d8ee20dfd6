package phase

import (
	"net/netip"
	"os"
	"testing"

	"kubepanel.io/kubepanel/node/machine"
)

func TestUnitRunsTheSupervisor(t *testing.T) {
	m, err := machine.New("main", "/var/lib/kubepanel")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/kubepanel-main.service")
	if err != nil {
		t.Fatal(err)
	}
	if got := (host{m}).unit(); got != string(want) {
		t.Errorf("unit() =\n%s\nwant\n%s", got, want)
	}
}

func TestServerIsReachedDirectly(t *testing.T) {
	values := valuesOf(nil, machine.Settings{Host: true, HostAddress: "192.0.2.10", HTTPPort: 80, HTTPSPort: 443})
	if len(values.Edge.ProxyProtocolFrom) != 0 {
		t.Errorf("proxyProtocolFrom = %q, want none: there is no forwarder", values.Edge.ProxyProtocolFrom)
	}
	if got := values.ClusterCIDRs[2]; got != "192.0.2.10/32" {
		t.Errorf("clusterCIDRs[2] = %s, want the server's own address", got)
	}
}

func TestOwnAddressIsOne(t *testing.T) {
	address, err := ownAddress()
	if err != nil {
		t.Skipf("no default route here: %v", err)
	}
	if _, err := netip.ParseAddr(address); err != nil {
		t.Errorf("ownAddress() = %q, want an address", address)
	}
}

func TestMachineDoesNotBecomeAServer(t *testing.T) {
	m, err := machine.New("test", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Keep(machine.Settings{Number: 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := New(m, nil, Options{Host: true}, nil); err == nil {
		t.Error("New(--host) on a machine of namespaces = nil, want an error")
	}
}
