package sftpd_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func TestATransferFinishesWhenTheServerStops(t *testing.T) {
	s := start(t)
	content := strings.Repeat("0123456789abcdef", 2<<20/16)
	s.write(s.home, "file", content)
	s.write(s.home, "batch", "put file file")
	// 8000 kbit/s: two seconds.
	args := append([]string{"sftp", "-l", "8000", "-b", "batch", "-i", "id", "-P", strconv.Itoa(s.port)}, s.options()...)
	result := make(chan error, 1)
	go func() {
		_, err := s.run("", append(args, user+"@127.0.0.1")...)
		result <- err
	}()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(filepath.Join(s.root, "file")); err == nil && info.Size() > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the transfer does not begin")
		}
	}
	s.stop()
	if err := <-result; err != nil {
		t.Fatalf("sftp: %v\n%s", err, s.log)
	}
	if s.content(s.root, "file") != content {
		t.Error("the file is not whole")
	}
}

func TestAClientThatOnlySitsThereDoesNotHoldTheServerUp(t *testing.T) {
	s := start(t)
	client := s.dial(t)
	defer client.Close()
	begin := time.Now()
	s.stop()
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	s := start(t)
	// Those who have not signed in only fill their own places.
	var strangers []net.Conn
	defer func() {
		for _, c := range strangers {
			_ = c.Close()
		}
	}()
	for range 40 {
		c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
		if err != nil {
			t.Fatal(err)
		}
		strangers = append(strangers, c)
	}
	served := 0
	for _, c := range strangers {
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := c.Read(make([]byte, 1)); err == nil {
			served++ // the server's greeting
		}
	}
	if served != 24 {
		t.Errorf("%d strangers are served at once, want 24", served)
	}
	for _, c := range strangers {
		_ = c.Close()
	}
	strangers = nil
	// Their places are free again.
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := s.sftp("ls"); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nobody can sign in any more")
		}
	}
}

// dial signs in with the key and does nothing.
func (s *site) dial(t *testing.T) *ssh.Client {
	t.Helper()
	key, err := ssh.ParsePrivateKey([]byte(s.content(s.home, "id")))
	if err != nil {
		t.Fatal(err)
	}
	client, err := ssh.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port), &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}
