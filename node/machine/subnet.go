package machine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
)

// chooseNumber takes the lowest N whose 10.213.N.0/24 nobody uses.
func chooseNumber(taken map[int]bool) (int, error) {
	for n := 1; n < 255; n++ {
		if !taken[n] {
			return n, nil
		}
	}
	return 0, errors.New("all of 10.213.1.0/24 to 10.213.254.0/24 are in use: remove a machine with 'node purge --machine NAME'")
}

// others are the settings of the other machines of this state folder, up or down.
func others(m Machine) ([]Settings, error) {
	entries, err := os.ReadDir(filepath.Join(m.State, "machines"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	var all []Settings
	for _, entry := range entries {
		if entry.Name() == m.Name {
			continue
		}
		settings, found, err := Machine{Name: entry.Name(), State: m.State}.Settings()
		if err != nil {
			return nil, err
		}
		if found {
			all = append(all, settings)
		}
	}
	return all, nil
}

// takenNumbers are those of other machines and those on this computer's
// interfaces, whoever set them. A bridge of ours that a crash left does not count.
func takenNumbers(m Machine, others []Settings) (map[int]bool, error) {
	taken := map[int]bool{}
	for _, other := range others {
		taken[other.Number] = true
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list this computer's interfaces: %w", err)
	}
	for _, link := range interfaces {
		addresses, err := link.Addrs()
		if err != nil || link.Name == m.bridge() {
			continue
		}
		for _, address := range addresses {
			prefix, err := netip.ParsePrefix(address.String())
			if err != nil || !prefix.Addr().Unmap().Is4() {
				continue
			}
			if b := prefix.Addr().Unmap().As4(); b[0] == 10 && b[1] == 213 {
				taken[int(b[2])] = true
			}
		}
	}
	return taken, nil
}
