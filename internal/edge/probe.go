package edge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"kubepanel.io/kubepanel/api/platform"
)

// serveProbes accepts and closes connections at the ports where the operator tries
// whether NetworkPolicies are enforced. All are open or none is: one that can't be
// reached is then known to be walled off, not missing.
func (e *Edge) serveProbes(ctx context.Context) error {
	if !e.config.Probes {
		return nil
	}
	var listeners []net.Listener
	for _, port := range []int{platform.PortProbeOpen, platform.PortProbeIngress, platform.PortProbeEgress} {
		listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return fmt.Errorf("listen for the operator's probes: %w", err)
		}
		listeners = append(listeners, listener)
	}
	for _, listener := range listeners {
		context.AfterFunc(ctx, func() { listener.Close() })
		go e.answerProbes(listener)
	}
	return nil
}

func (e *Edge) answerProbes(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			e.config.Log.Warn("accept a probe", "error", err)
			return
		}
		connection.Close()
	}
}
