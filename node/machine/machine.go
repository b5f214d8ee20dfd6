// Package machine makes a corner of this computer into a machine of its own:
// namespaces with an init, a root file system, cgroups, a network address and a
// forwarder for the computer's web ports. It knows nothing of Kubernetes; what
// runs inside is the supervisor's business (package supervise). Outside the
// state folder it leaves nothing behind that Clean does not remove.
package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// A bridge's name is kp-NAME, and the kernel allows 15 bytes.
var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,10}[a-z0-9]$`)

// Machine names one machine and the state folder it lives in.
type Machine struct {
	Name  string
	State string
}

// Settings are chosen once, when a machine is first made, and stay, so that the
// addresses and URLs of its sites stay.
type Settings struct {
	// Number is N in the machine's addresses 10.213.N.2 and fd4b:7562:6570:N::2.
	Number int `json:"number"`
	// IPv6 says that the machine has both families. A cluster's ranges can't be changed, so
	// one that was made without stays without.
	IPv6      bool `json:"ipv6,omitempty"`
	HTTPPort  int  `json:"httpPort"`
	HTTPSPort int  `json:"httpsPort"`
	// SSHPort is where the gateway for files and shells is reached.
	SSHPort int `json:"sshPort"`
	// Host says that the node is on this computer itself, at HostAddress.
	Host        bool   `json:"host,omitempty"`
	HostAddress string `json:"hostAddress,omitempty"`
}

// New checks the name, which becomes part of an interface's name.
func New(name, state string) (Machine, error) {
	if !validName.MatchString(name) {
		return Machine{}, fmt.Errorf("machine name %q: use 2 to 12 characters from a-z, 0-9 and '-', beginning with a letter", name)
	}
	if !filepath.IsAbs(state) {
		return Machine{}, fmt.Errorf("state folder %q: give an absolute path", state)
	}
	return Machine{Name: name, State: filepath.Clean(state)}, nil
}

// Dir is all that is kept of this machine.
func (m Machine) Dir() string { return filepath.Join(m.State, "machines", m.Name) }

// Disk is what the machine itself keeps over a restart.
func (m Machine) Disk() string { return filepath.Join(m.Dir(), "disk") }

// Logs is where the supervisor and the outside process write.
func (m Machine) Logs() string { return filepath.Join(m.Dir(), "log") }

// Programs is the folder of links to the programs that run the node.
func (m Machine) Programs() string { return filepath.Join(m.Dir(), "programs") }

// Tools is the folder of links to the programs for a person's PATH.
func (m Machine) Tools() string { return filepath.Join(m.Dir(), "bin") }

// Kubeconfig is the administrator's way to the node's API server.
func (m Machine) Kubeconfig() string { return filepath.Join(m.Dir(), "kubeconfig") }

// Supervised is the supervisor's list of programs.
func (m Machine) Supervised() string { return filepath.Join(m.Dir(), "supervise.json") }

// Executable is the copy of this program that runs the machine, so that
// building a new one never pulls it away from under a running machine.
func (m Machine) Executable() string { return filepath.Join(m.Dir(), "node") }

// Hostname is the machine's name inside, and so the node's.
func (m Machine) Hostname() string { return "kubepanel-" + m.Name }

func (m Machine) settingsFile() string { return filepath.Join(m.Dir(), "machine.json") }
func (m Machine) rootDir() string      { return filepath.Join(m.Dir(), "root") }
func (m Machine) bridge() string       { return "kp-" + m.Name }
func (m Machine) veth() string         { return "kv-" + m.Name }
func (m Machine) table() string        { return "kubepanel-" + m.Name }
func (m Machine) cgroup() string       { return "kubepanel-" + m.Name }

// Settings reads what was chosen for this machine; found is false for a machine
// that never was.
func (m Machine) Settings() (settings Settings, found bool, err error) {
	data, err := os.ReadFile(m.settingsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return Settings{}, false, nil
	}
	if err != nil {
		return Settings{}, false, fmt.Errorf("read the machine's settings: %w", err)
	}
	if err := json.Unmarshal(data, &settings); err != nil {
		return Settings{}, false, fmt.Errorf("read %s: %w", m.settingsFile(), err)
	}
	return settings, true, nil
}

// Keep stores the settings.
func (m Machine) Keep(settings Settings) error {
	data, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return fmt.Errorf("write the machine's settings: %w", err)
	}
	return WriteFile(m.settingsFile(), append(data, '\n'), 0o600)
}

// WriteFile replaces a file whole or not at all, so that a killed run never
// leaves half of one. It leaves a file alone that already reads like that.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	if have, err := os.ReadFile(path); err == nil && string(have) == string(data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
