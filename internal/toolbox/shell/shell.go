package shell

import (
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// program is the customer's shell.
const program = "/bin/bash"

// Shell says how programs are started.
type Shell struct {
	// Dir is where they start, and their home.
	Dir string
	// User is the name of who signed in.
	User string
}

// Session returns what serves one channel. Its Close has to be called when the
// channel has closed.
func (s *Shell) Session(channel ssh.Channel) *Session {
	return &Session{shell: s, channel: channel}
}

// command starts the customer's shell as sshd does: their command is given to it
// as it came, and without one it is a login shell.
func (s *Shell) command(line string, login bool, env []string) *exec.Cmd {
	cmd := exec.Command(program, "-c", line)
	if login {
		cmd = exec.Command(program)
		cmd.Args[0] = "-bash"
	}
	cmd.Dir = s.Dir
	// The container's own variables are the image's and the customer's.
	cmd.Env = append(os.Environ(), "HOME="+s.Dir, "USER="+s.User, "LOGNAME="+s.User, "SHELL="+program)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// accepted tells whether a client may set a variable: those of Debian's sshd, and
// git's wish for its newer protocol.
func accepted(name string) bool {
	return strings.HasPrefix(name, "LC_") || slices.Contains([]string{"LANG", "COLORTERM", "NO_COLOR", "GIT_PROTOCOL"}, name)
}
