package sftpd

import (
	"io"

	"golang.org/x/crypto/ssh"
)

// Program is what runs in a channel beside SFTP.
type Program interface {
	// Handle does what the client asks for, and answers.
	Handle(r *ssh.Request)
	// Close ends it; called when the channel has closed.
	Close()
}

// noShell answers who asks for a program where there are none.
type noShell struct{ channel ssh.Channel }

const noShellMessage = "This site is open for files only, by SFTP (sftp, scp, rclone). A shell, git and rsync need sftp.type: sshgit.\r\n"

// Handle explains that no program is run, and ends with the status of a failure.
func (n noShell) Handle(r *ssh.Request) {
	if r.Type != "shell" && r.Type != "exec" {
		// A terminal is granted, or clients would say nothing but that there is none.
		_ = r.Reply(r.Type == "pty-req", nil)
		return
	}
	_ = r.Reply(true, nil)
	_, _ = io.WriteString(n.channel.Stderr(), noShellMessage)
	_, _ = n.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{1}))
	_ = n.channel.Close()
}

// Close does nothing.
func (noShell) Close() {}
