package machine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// portPairs are tried in this order; the first free pair becomes the machine's.
func portPairs() [][2]int {
	return [][2]int{{80, 443}, {8080, 8443}, {18080, 18443}, {28080, 28443}, {38080, 38443}, {48080, 48443}}
}

// sshPorts are tried in this order for the gateway.
func sshPorts() []int { return []int{2222, 12222, 22222, 32222, 42222, 52222} }

// chooseSSHPort keeps the port that was chosen before while it is free.
func chooseSSHPort(before int, free func(port int) bool) (int, error) {
	ports := sshPorts()
	if before != 0 {
		ports = append([]int{before}, ports...)
	}
	for _, port := range ports {
		if free(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port for SFTP is free on 127.0.0.1 (tried %v): stop what listens there ('ss -ltnp' shows it)", ports)
}

// choosePorts keeps the pair that was chosen before while it is free.
func choosePorts(before [2]int, free func(port int) bool) ([2]int, error) {
	pairs := portPairs()
	if before != [2]int{} {
		pairs = append([][2]int{before}, pairs...)
	}
	for _, pair := range pairs {
		if free(pair[0]) && free(pair[1]) {
			return pair, nil
		}
	}
	return [2]int{}, fmt.Errorf("no pair of ports is free on 127.0.0.1 (tried %v): stop what listens there ('ss -ltnp' shows it)", pairs)
}

// loopbacks are the addresses the forwarder listens on: both families, since
// browsers try localhost's IPv6 address first.
func loopbacks() []string {
	if _, err := os.Stat("/proc/net/if_inet6"); err != nil {
		return []string{"127.0.0.1"}
	}
	return []string{"127.0.0.1", "::1"}
}

// listen opens a port on every loopback address. An address family that the
// kernel has but the computer has switched off is left out.
func listen(port int) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, host := range loopbacks() {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if errors.Is(err, syscall.EADDRNOTAVAIL) && len(listeners) > 0 {
			continue
		}
		if err != nil {
			closeAll(listeners)
			return nil, fmt.Errorf("listen on port %d: %w", port, err)
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, listener := range listeners {
		listener.Close()
	}
}

func portIsFree(port int) bool {
	listeners, err := listen(port)
	closeAll(listeners)
	return err == nil
}
