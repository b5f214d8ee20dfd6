package machine

import (
	"context"
	"fmt"
)

// Choose gives the machine its number, address families and ports on its first start
// and keeps them afterwards. Ports that somebody else took since are replaced; moved
// says so.
func (m Machine) Choose(ctx context.Context) (settings Settings, moved bool, err error) {
	settings, _, err = m.Settings()
	if err != nil || m.Daemon().Alive() {
		// A machine that is up holds its own ports and address.
		return settings, false, err
	}
	others, err := others(m)
	if err != nil {
		return Settings{}, false, err
	}
	if settings.Number == 0 {
		taken, err := takenNumbers(m, others)
		if err != nil {
			return Settings{}, false, err
		}
		if settings.Number, err = chooseNumber(taken); err != nil {
			return Settings{}, false, err
		}
		settings.IPv6 = HasIPv6() && canFilter6(ctx)
	}
	reserved := map[int]bool{}
	for _, other := range others {
		reserved[other.HTTPPort], reserved[other.HTTPSPort], reserved[other.SSHPort] = true, true, true
	}
	before := [2]int{settings.HTTPPort, settings.HTTPSPort}
	free := func(port int) bool { return !reserved[port] && portIsFree(port) }
	ports, err := choosePorts(before, free)
	if err != nil {
		return Settings{}, false, err
	}
	settings.HTTPPort, settings.HTTPSPort = ports[0], ports[1]
	moved = before != [2]int{} && before != ports
	if settings.SSHPort, err = chooseSSHPort(settings.SSHPort, free); err != nil {
		return Settings{}, false, err
	}
	if err := m.Keep(settings); err != nil {
		return Settings{}, false, fmt.Errorf("keep the machine's ports and address: %w", err)
	}
	return settings, moved, nil
}
