package proctest

import (
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

func TestAPortIsNobodyElsesUntilTheTestEnds(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		port := Port(t)
		if seen[port] || port < firstPort || port >= firstPort+ports {
			t.Fatalf("Port() = %d, which is another's or out of range", port)
		}
		seen[port] = true
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			t.Fatal(err)
		}
		if take(t, t.TempDir(), port) != nil {
			t.Errorf("port %d can be taken while somebody listens there", port)
		}
		_ = l.Close()
	}
	folder, port := t.TempDir(), 0
	t.Run("another test", func(t *testing.T) {
		port = Port(t)
		if lock := take(t, folder, port); lock == nil {
			t.Fatalf("port %d can't be locked", port)
		} else {
			t.Cleanup(func() { _ = lock.Close() })
		}
		// Another process sees it too.
		if err := exec.Command("flock", "--nonblock", filepath.Join(folder, strconv.Itoa(port)), "true").Run(); err == nil {
			t.Errorf("port %d is locked for nobody", port)
		}
	})
	if lock := take(t, folder, port); lock == nil {
		t.Errorf("port %d is still taken after its test", port)
	} else {
		_ = lock.Close()
	}
}
