package main

import (
	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/toolbox/sftpd"
	"kubepanel.io/kubepanel/internal/toolbox/shell"
)

// programs gives customers a shell.
func programs(root string) func(ssh.Channel) sftpd.Program {
	s := &shell.Shell{Dir: root, User: "site"}
	return func(channel ssh.Channel) sftpd.Program { return s.Session(channel) }
}
