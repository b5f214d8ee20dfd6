package shell

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
)

// Payloads of requests (RFC 4254 sections 6.2, 6.4 to 6.7, 6.9 and 6.10).
type (
	ptyRequest struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}
	sizeChange  struct{ Columns, Rows, Width, Height uint32 }
	variable    struct{ Name, Value string }
	execRequest struct{ Command string }
	signalName  struct{ Name string }
	exitStatus  struct{ Status uint32 }
	exitSignal  struct {
		Name       string
		CoreDumped bool
		Message    string
		Language   string
	}
)

// endOfFile is Ctrl-D.
const endOfFile = 4

// maxVariables bounds what a client may set.
const maxVariables = 64

// Session is one program, and what was asked for before it started.
type Session struct {
	shell   *Shell
	channel ssh.Channel
	env     []string
	size    *pty.Winsize // nil without a terminal

	mu       sync.Mutex
	cmd      *exec.Cmd // nil until started
	terminal *os.File  // nil without one
	stdin    io.WriteCloser
	stdout   io.ReadCloser
	stderr   io.ReadCloser // nil with a terminal
	ended    chan struct{} // nil until it runs
}

// Handle does what the client asks for, and answers.
func (s *Session) Handle(r *ssh.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok := s.request(r)
	// Before the program's first word: clients take the order for granted.
	_ = r.Reply(ok, nil)
	if ok && s.ended == nil && s.cmd != nil {
		s.ended = make(chan struct{})
		go s.serve()
	}
}

func (s *Session) request(r *ssh.Request) bool {
	switch r.Type {
	case "env":
		return s.setVariable(r.Payload)
	case "pty-req":
		return s.wantTerminal(r.Payload)
	case "shell":
		return s.cmd == nil && s.start("", true)
	case "exec":
		var line execRequest
		return s.cmd == nil && ssh.Unmarshal(r.Payload, &line) == nil && s.start(line.Command, false)
	case "window-change":
		var size sizeChange
		return s.terminal != nil && ssh.Unmarshal(r.Payload, &size) == nil &&
			resize(s.terminal, size) == nil
	case "signal":
		return s.signal(r.Payload)
	default:
		// Forwarding of agents and screens among them.
		return false
	}
}

func (s *Session) setVariable(payload []byte) bool {
	var v variable
	if s.cmd != nil || len(s.env) >= maxVariables || ssh.Unmarshal(payload, &v) != nil || !accepted(v.Name) {
		return false
	}
	s.env = append(s.env, v.Name+"="+v.Value)
	return true
}

func (s *Session) wantTerminal(payload []byte) bool {
	var r ptyRequest
	if s.cmd != nil || s.size != nil || ssh.Unmarshal(payload, &r) != nil {
		return false
	}
	s.size = &pty.Winsize{Cols: uint16(r.Columns), Rows: uint16(r.Rows), X: uint16(r.Width), Y: uint16(r.Height)}
	s.env = append(s.env, "TERM="+r.Term)
	return true
}

// start starts the program; serve is the rest.
func (s *Session) start(line string, login bool) bool {
	cmd := s.shell.command(line, login, s.env)
	var err error
	if s.size != nil {
		s.terminal, err = startOnTerminal(cmd, s.size)
		s.stdin, s.stdout = s.terminal, s.terminal
	} else {
		err = s.startOnPipes(cmd)
	}
	if err != nil {
		_, _ = io.WriteString(s.channel.Stderr(), "The shell can't be started: "+err.Error()+"\r\n")
		return false
	}
	s.cmd = cmd
	return true
}

// startOnPipes starts the program in a session of its own, so that it and what
// it starts can be ended together.
func (s *Session) startOnPipes(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var err error
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if s.stdout, err = cmd.StdoutPipe(); err != nil {
		return err
	}
	if s.stderr, err = cmd.StderrPipe(); err != nil {
		return err
	}
	return cmd.Start()
}

// serve copies until the program has ended, and tells the client how.
func (s *Session) serve() {
	defer close(s.ended)
	go func() {
		_, _ = io.Copy(s.stdin, s.channel)
		if s.terminal != nil {
			// The terminal's own end of file, for who still reads there.
			_, _ = s.terminal.Write([]byte{endOfFile})
			return
		}
		_ = s.stdin.Close()
	}()
	var both sync.WaitGroup
	// A terminal ends with an error when nobody has it open any more.
	both.Go(func() { _, _ = io.Copy(s.channel, s.stdout) })
	if s.stderr != nil {
		both.Go(func() { _, _ = io.Copy(s.channel.Stderr(), s.stderr) })
	}
	both.Wait()
	s.report(s.cmd.Wait())
	_ = s.channel.Close()
}

// report tells the client how the program ended.
func (s *Session) report(err error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		status := exitStatus{}
		if err != nil {
			status.Status = 255
		}
		_, _ = s.channel.SendRequest("exit-status", false, ssh.Marshal(status))
		return
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		_, _ = s.channel.SendRequest("exit-signal", false, ssh.Marshal(exitSignal{Name: nameOf(status.Signal()), CoreDumped: status.CoreDump()}))
		return
	}
	_, _ = s.channel.SendRequest("exit-status", false, ssh.Marshal(exitStatus{Status: uint32(exit.ExitCode())}))
}
