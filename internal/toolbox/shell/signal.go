package shell

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// graceTime is how long programs get to end by themselves when their client has
// gone.
const graceTime = 2 * time.Second

// signals by their names in the protocol (RFC 4254 section 6.10).
var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP, "ILL": syscall.SIGILL,
	"INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE, "QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV,
	"TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
}

func nameOf(signal syscall.Signal) string {
	for name, s := range signals {
		if s == signal {
			return name
		}
	}
	return strconv.Itoa(int(signal)) + "@kubepanel.io"
}

func (s *Session) signal(payload []byte) bool {
	var r signalName
	if s.cmd == nil || ssh.Unmarshal(payload, &r) != nil {
		return false
	}
	signal, ok := signals[r.Name]
	return ok && syscall.Kill(-s.cmd.Process.Pid, signal) == nil
}

// Close ends what still runs of the program, and returns when it has ended. What
// put itself into a session of its own goes on, as it does with OpenSSH.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		return
	}
	leader := s.cmd.Process.Pid
	sendAll(leader, syscall.SIGHUP)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for until := time.Now().Add(graceTime); len(members(leader)) > 0 && time.Now().Before(until); {
		<-look.C
	}
	sendAll(leader, syscall.SIGKILL)
	// Who left the session may still have these open.
	for _, output := range []io.Closer{s.stdout, s.stderr} {
		if output != nil {
			_ = output.Close()
		}
	}
	<-s.ended
}

func sendAll(session int, signal syscall.Signal) {
	for _, pid := range members(session) {
		_ = syscall.Kill(pid, signal)
	}
}

// members returns the processes of a session that have not ended (proc(5),
// /proc/pid/stat: state is the third field, session the sixth).
func members(session int) []int {
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is good
	var pids []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		// The name in brackets may hold anything.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 4 || string(fields[3]) != strconv.Itoa(session) || string(fields[0]) == "Z" || string(fields[0]) == "X" {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
