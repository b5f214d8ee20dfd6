package machine

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Command is a program to be run inside the machine. Programs of the node are
// found by name in its folder of programs.
func (m Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	target := strconv.Itoa(m.Init().PID)
	if filepath.Base(name) == name {
		if program := filepath.Join(m.Programs(), name); exists(program) {
			name = program
		}
	}
	enter := []string{"--target", target, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--", name}
	command := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	command.Env = append(environment(), "PATH="+m.Programs()+":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	command.Dir = "/"
	return command
}

// Inside is where a file of the running machine is found from outside.
func (m Machine) Inside(path string) string {
	return filepath.Join("/proc", strconv.Itoa(m.Init().PID), "root", path)
}
