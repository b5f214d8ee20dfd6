// Package scantest runs ClamAV's real daemon, with a signature of its own and no network.
// Only tests may import it.
package scantest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/proctest"
)

// Harmful is what the daemon knows, and Name what it calls it.
const (
	Harmful = "kubepanel-test-pattern-that-nobody-else-writes"
	Name    = "Kubepanel.Test.UNOFFICIAL"
)

const program = "/usr/sbin/clamd"

// Start starts one that takes files of limit octets, such as 1M, and returns its address. It
// ends with the test, which is left out where Debian's clamav-daemon is missing.
func Start(t testing.TB, limit string) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skip("there is no " + program)
	}
	folder, port := t.TempDir(), proctest.Port(t)
	signature := fmt.Sprintf("Kubepanel.Test:0:*:%x\n", Harmful)
	config := fmt.Sprintf("Foreground yes\nTCPAddr 127.0.0.1\nTCPSocket %d\nDatabaseDirectory %s\nStreamMaxLength %s\n", port, folder, limit)
	for name, text := range map[string]string{"test.ndb": signature, "clamd.conf": config} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said := &strings.Builder{}
	cmd := exec.Command(program, "--config-file", filepath.Join(folder, "clamd.conf"))
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it holds nothing
		<-ended
	})
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close() // it answers
			return "tcp://" + address
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("clamd ended with %v: %s", err, said)
		default:
		}
	}
	t.Fatal("clamd does not answer within a minute")
	return ""
}
