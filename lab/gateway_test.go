package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// options are those of all of OpenSSH's programs.
func (c sftpClient) options() []string {
	return []string{
		"-F", "none", "-o", "Port=" + strconv.Itoa(int(c.login.Port)), "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile=" + filepath.Join(c.folder, "known"), "-o", "StrictHostKeyChecking=yes",
		"-o", "IdentitiesOnly=yes", "-o", "IdentityFile=" + filepath.Join(c.keys, "key"), "-o", "ConnectTimeout=20",
	}
}

// ssh runs a command at the site, with the key.
func (c sftpClient) ssh(t testing.TB, command string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ssh", append(c.options(), c.login.Username+"@"+c.login.Host, command)...)
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestOneGatewayLeadsToEverySite: two customers, one port; what is one's is not
// the other's.
func TestOneGatewayLeadsToEverySite(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	first, second := c.newSite(t, "one-door.localhost").newSFTPClient(t), c.newSite(t, "same-door.localhost").newSFTPClient(t)
	if first.login.Port != second.login.Port || first.login.Host != second.login.Host {
		t.Fatalf("two ways in: %+v and %+v", first.login, second.login)
	}
	stolen := first
	stolen.login = second.login
	for _, by := range []string{"publickey", "password"} {
		if out, err := first.run(t, by, "mkdir html/by-"+by+"\n"); err != nil {
			t.Errorf("by %s: %v\n%s", by, err, out)
		}
		if out, err := stolen.run(t, by, "ls\n"); err == nil || !strings.Contains(out, "Permission denied") {
			t.Errorf("another's site by %s: %v\n%s", by, err, out)
		}
	}
	if out, err := first.ssh(t, "id"); err == nil || !strings.Contains(out, "sftp.type: sshgit") {
		t.Errorf("a shell where only files were asked for: %v\n%s", err, out)
	}
}

// TestAShellHasItsTools: what a developer does with sftp.type sshgit.
func TestAShellHasItsTools(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	if c.settings.Images.ToolboxGit == "" {
		t.Skip("the platform has no image with a shell (images.toolboxGit)")
	}
	s := c.newSite(t, "shell.localhost")
	s.change(t, func(d *v1alpha1.Domain) { d.Spec.SFTP.Type = v1alpha1.SFTPGit })
	s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
	client := s.newSFTPClient(t)
	out, err := client.ssh(t, "set -e; cd html; git --version; composer --version; npm --version; rsync --version; php -r 'echo PHP_VERSION;'; id -u")
	if err != nil || !strings.HasSuffix(strings.TrimSpace(out), "10000") {
		t.Errorf("ssh = %v\n%s", err, out)
	}
	client.sync(t)
	client.push(t, "<?php echo 'pushed';")
	if got := c.newVisitor(t, "127.0.0.1").must(t, s.url()+"/pushed.php").body; got != "pushed" {
		t.Errorf("the page says %q", got)
	}
}

// sync sends a folder there and compares it with a second run that has nothing
// to do.
func (c sftpClient) sync(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "synced.txt"), []byte("synced"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		cmd := exec.CommandContext(t.Context(), "rsync", "-a", "--itemize-changes", "-e", "ssh "+strings.Join(c.options(), " ")+" -l "+c.login.Username,
			folder+"/", c.login.Host+":html/synced/")
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "synced.txt") != want {
			t.Errorf("rsync: %v, want the file moved: %v\n%s", err, want, out)
		}
	}
}

// push commits a page and pushes it.
func (c sftpClient) push(t *testing.T, page string) {
	t.Helper()
	work := t.TempDir()
	if err := os.WriteFile(filepath.Join(work, "pushed.php"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "one"},
		{"push", "-q", fmt.Sprintf("%s:html", c.login.Host), "main"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", work, "-c", "user.name=lab", "-c", "user.email=lab@localhost"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_SSH_COMMAND=ssh "+strings.Join(c.options(), " ")+" -l "+c.login.Username, "GIT_CONFIG_GLOBAL=/dev/null", "SSH_AUTH_SOCK=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}
