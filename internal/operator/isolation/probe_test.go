package isolation

import (
	"net"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/platform"
)

// listening returns the ports of a target of which those listen that are named.
func listening(t *testing.T, address string, open, ingress, egress bool) Ports {
	t.Helper()
	var ports [3]int
	for i, stays := range []bool{open, ingress, egress} {
		l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
		if err != nil {
			t.Skipf("this computer has no %s: %v", address, err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		if stays {
			t.Cleanup(func() { l.Close() })
		} else {
			l.Close()
		}
	}
	return Ports{Open: ports[0], Ingress: ports[1], Egress: ports[2]}
}

func TestAProbeTellsWallsFromMissingEdges(t *testing.T) {
	tests := map[string]struct {
		address               string
		open, ingress, egress bool
		verdict, says         string
	}{
		"both walls hold":       {"127.0.0.1", true, false, false, platform.PoliciesEnforced, "1 address"},
		"both hold over IPv6":   {"::1", true, false, false, platform.PoliciesEnforced, "1 address"},
		"none holds":            {"127.0.0.1", true, true, true, platform.PoliciesNotEnforced, "IPv4 into"},
		"only what comes in":    {"127.0.0.1", true, false, true, platform.PoliciesNotEnforced, "IPv4 out of"},
		"only what goes out":    {"::1", true, true, false, platform.PoliciesNotEnforced, "IPv6 into"},
		"no edge, so no answer": {"127.0.0.1", false, false, false, "", ""},
		"an edge without twin":  {"127.0.0.1", false, true, true, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ports := listening(t, tt.address, tt.open, tt.ingress, tt.egress)
			got := probe(t.Context(), []Target{{Node: "one", Address: tt.address}}, ports, time.Second)
			if got.verdict != tt.verdict || !strings.Contains(got.message, tt.says) {
				t.Errorf("probe() = %+v, want %q and a message with %q", got, tt.verdict, tt.says)
			}
		})
	}
}

func TestOneHoleAmongManyWallsIsAHole(t *testing.T) {
	ports := listening(t, "127.0.0.1", true, false, true)
	targets := []Target{{"one", "127.0.0.1"}, {"two", "127.0.0.77"}, {"gone", "127.0.0.1"}}
	if got := probe(t.Context(), targets, ports, time.Second); got.verdict != platform.PoliciesNotEnforced || !strings.Contains(got.message, "node one") {
		t.Errorf("probe() = %+v, want %s", got, platform.PoliciesNotEnforced)
	}
}
