// Package supervise keeps a node's programs running: as the first process of a
// machine or under systemd on a server. It starts what its list names, again
// with a growing pause when it ends, writes its output to files of bounded
// size, and on SIGTERM stops the containers before their runtime. It never
// decides what should run.
package supervise

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
)

// Config is the list of programs, a file that 'node up' writes and SIGHUP has read again.
type Config struct {
	// Logs is the folder for one file per program.
	Logs string `json:"logs"`
	// Programs are started in this order and stopped in the reverse one.
	Programs []Program `json:"programs"`
	// Containers tells how to end containers when stopping; without it they are left.
	Containers *Containers `json:"containers,omitempty"`
}

// Program is one to keep running. If any field changes, it is started anew.
type Program struct {
	Name    string   `json:"name"`
	Command []string `json:"command"`
	Env     []string `json:"env,omitempty"`
	// Revision stands for what the command reads, so that new configuration restarts it.
	Revision string `json:"revision,omitempty"`
	// WaitFor is a file, a socket mostly, without which starting is pointless.
	WaitFor string `json:"waitFor,omitempty"`
}

// Containers names the runtime's client and socket.
type Containers struct {
	CTR     string `json:"ctr"`
	Address string `json:"address"`
	// Abrupt are commands that are killed without asking: the API server has
	// nothing to lose and would wait for its clients for a minute.
	Abrupt []string `json:"abrupt,omitempty"`
}

func (p Program) same(other Program) bool { return reflect.DeepEqual(p, other) }

// ReadConfig reads the list; a file that does not exist is an empty list, since
// a machine is up before anything is installed on it.
func ReadConfig(path string) (Config, error) {
	var config Config
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return config, nil
	}
	if err != nil {
		return config, fmt.Errorf("read the list of programs: %w", err)
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return config, fmt.Errorf("read the list of programs %s: %w", path, err)
	}
	return config, nil
}
