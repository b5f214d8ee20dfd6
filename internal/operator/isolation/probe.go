// Package isolation finds out whether the cluster's network plug-in enforces
// NetworkPolicies, by trying: at an edge's pod one port is open to the operator, one
// is closed by a policy at the edge's end and one by a policy at the operator's own.
// What it found last is remembered in a ConfigMap.
//
// It must never guess from names or versions of plug-ins, nor know a site.
package isolation

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"kubepanel.io/kubepanel/api/platform"
)

// Target is one address of a pod that listens at all three ports.
type Target struct{ Node, Address string }

// Ports are where a target listens.
type Ports struct{ Open, Ingress, Egress int }

// EdgePorts are the edge's.
func EdgePorts() Ports {
	return Ports{Open: platform.PortProbeOpen, Ingress: platform.PortProbeIngress, Egress: platform.PortProbeEgress}
}

// finding is what a round of tries showed: "" when no target could be reached at
// all, so that nothing is known.
type finding struct{ verdict, message string }

// probe tries all targets at once.
func probe(ctx context.Context, targets []Target, ports Ports, patience time.Duration) finding {
	var mu sync.Mutex
	var all sync.WaitGroup
	var walled int
	var through []string
	for _, target := range targets {
		all.Go(func() {
			if !connects(ctx, target.Address, ports.Open, patience) {
				return // it would say nothing that the others can't be reached either
			}
			open := lets(ctx, target, ports, patience)
			mu.Lock()
			defer mu.Unlock()
			walled++
			through = append(through, open...)
		})
	}
	all.Wait()
	slices.Sort(through)
	switch {
	case ctx.Err() != nil || walled == 0:
		return finding{}
	case len(through) > 0:
		return finding{platform.PoliciesNotEnforced,
			"The network plug-in let through what a NetworkPolicy forbids: " + strings.Join(through, "; ") + "."}
	}
	return finding{platform.PoliciesEnforced, fmt.Sprintf("Tried at %d addresses of the edge, in both directions.", walled)}
}

// lets tells which of the two walls of a target are none.
func lets(ctx context.Context, t Target, ports Ports, patience time.Duration) []string {
	var in, out bool
	var both sync.WaitGroup
	both.Go(func() { in = connects(ctx, t.Address, ports.Ingress, patience) })
	both.Go(func() { out = connects(ctx, t.Address, ports.Egress, patience) })
	both.Wait()
	family := "IPv4"
	if strings.Contains(t.Address, ":") {
		family = "IPv6"
	}
	var open []string
	if in {
		open = append(open, fmt.Sprintf("%s into a pod on node %s", family, t.Node))
	}
	if out {
		open = append(open, fmt.Sprintf("%s out of a pod to node %s", family, t.Node))
	}
	return open
}

// connects tells whether somebody accepts there in time. A plug-in may drop or
// refuse what it forbids.
func connects(ctx context.Context, address string, port int, patience time.Duration) bool {
	dialer := net.Dialer{Timeout: patience}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	connection.Close()
	return true
}
