package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/toolbox/sftpd"
	"kubepanel.io/kubepanel/internal/toolbox/shell"
)

// programs gives customers a shell, and makes the repository that they push to.
// Without one, say because the volume is full, they still need the shell.
func (o *serveOptions) programs(ctx context.Context, log *slog.Logger) func(ssh.Channel) sftpd.Program {
	if err := shell.MakeRepository(ctx, o.project()); err != nil {
		log.Error(err.Error())
	}
	s := &shell.Shell{Dir: o.root, User: "site"}
	return func(channel ssh.Channel) sftpd.Program { return s.Session(channel) }
}

// project is the folder that holds the document root, or is it: for
// /var/www/html/public it is /var/www/html, where a framework has its other files.
func (o *serveOptions) project() string {
	name, err := filepath.Rel(o.root, o.documentRoot)
	if err != nil || o.documentRoot == "" || !filepath.IsLocal(name) {
		return o.root
	}
	first, _, _ := strings.Cut(filepath.ToSlash(name), "/")
	return filepath.Join(o.root, first)
}
