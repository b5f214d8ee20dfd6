package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// sftpClient is OpenSSH's client, set up with what the site's status and Secret
// hold and nothing else: the host's key is known beforehand, so it must be the
// right one.
type sftpClient struct {
	login  *v1alpha1.SFTPStatus
	folder string
	keys   string // folder with the private key, "key"
}

func (s site) newSFTPClient(t testing.TB) sftpClient {
	t.Helper()
	login := s.state(t).Status.SFTP
	if login == nil || login.Host == "" || login.Port == 0 {
		t.Fatalf("status.sftp = %+v, want host and port", login)
	}
	secret := s.secret(t, "sftp-credentials")
	folder := t.TempDir()
	for name, content := range map[string]string{
		"key":   strings.TrimSpace(secret["privateKey"]) + "\n",
		"known": fmt.Sprintf("[%s]:%d %s\n", login.Host, login.Port, login.HostKey),
		"word":  secret["password"] + "\n",
		// ssh asks this program for a password; data comes from a file beside it.
		"askpass": "#!/bin/sh\nexec cat \"${0%/*}/word\"\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return sftpClient{login: login, folder: folder, keys: folder}
}

// run carries out a batch of commands; by says how to sign in.
func (c sftpClient) run(t testing.TB, by, batch string) (string, error) {
	t.Helper()
	return c.batch(t.Context(), by, batch)
}

func (c sftpClient) batch(ctx context.Context, by, batch string) (string, error) {
	args := []string{
		"-F", "none", "-P", strconv.Itoa(int(c.login.Port)),
		"-o", "UserKnownHostsFile=" + filepath.Join(c.folder, "known"),
		"-o", "StrictHostKeyChecking=yes",
		"-o", "PreferredAuthentications=" + by,
		"-o", "IdentitiesOnly=yes", "-o", "IdentityFile=" + filepath.Join(c.keys, "key"),
		"-o", "ConnectTimeout=10",
		// -b would forbid passwords, so the batch comes on standard input.
		c.login.Username + "@" + c.login.Host,
	}
	cmd := exec.CommandContext(ctx, "sftp", args...)
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+filepath.Join(c.folder, "askpass"), "SSH_ASKPASS_REQUIRE=force", "SSH_AUTH_SOCK=")
	cmd.Stdin = strings.NewReader(batch)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestFilesArriveBySFTP: what a customer uploads is what visitors see.
func TestFilesArriveBySFTP(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "upload.localhost")
	client := s.newSFTPClient(t)
	page := filepath.Join(t.TempDir(), "hello.php")
	if err := os.WriteFile(page, []byte("<?php echo 'uploaded, and run as ' . getmyuid();"), 0o600); err != nil {
		t.Fatal(err)
	}
	visitor := c.newVisitor(t, "127.0.0.1")
	for _, by := range []string{"publickey", "password"} {
		name := by + ".php"
		out, err := client.run(t, by, fmt.Sprintf("put %s html/%s\nls -l html\n", page, name))
		if err != nil || !strings.Contains(out, name) {
			t.Fatalf("upload by %s: %v\n%s", by, err, out)
		}
		if got := visitor.must(t, s.url()+"/"+name).body; !strings.HasPrefix(got, "uploaded, and run as") {
			t.Errorf("the page uploaded by %s says %q", by, got)
		}
	}
	t.Run("a download is what was uploaded", func(t *testing.T) {
		back := filepath.Join(t.TempDir(), "back.php")
		if out, err := client.run(t, "publickey", fmt.Sprintf("get html/publickey.php %s\n", back)); err != nil {
			t.Fatalf("download: %v\n%s", err, out)
		}
		want, _ := os.ReadFile(page)
		if got, err := os.ReadFile(back); err != nil || string(got) != string(want) {
			t.Errorf("downloaded %q (%v), want %q", got, err, want)
		}
	})
	t.Run("no way out of the site's folder", func(t *testing.T) {
		out, _ := client.run(t, "publickey", "ls -1 ../../../../etc\nls -1 /etc/kubepanel\n")
		for _, line := range lines(out) {
			said := strings.HasPrefix(line, "sftp>") || strings.HasPrefix(line, "Connected to") || strings.Contains(line, "not found")
			if !said {
				t.Errorf("the client sees %q", line)
			}
		}
	})
	t.Run("a wrong password is refused", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(client.folder, "word"), []byte("guess\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := client.run(t, "password", "ls\n"); err == nil {
			t.Errorf("signed in with a guess: %s", out)
		}
	})
}
