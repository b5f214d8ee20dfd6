package gateway

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A site is ready before the last node knows the way to it, and refuses till then.
func TestASiteThatRefusesAtFirstIsReached(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	// Bound and not listening: nobody else gets the port, and it refuses.
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}
	if conn, err := net.DialTCP("tcp", nil, &address); err == nil {
		_ = conn.Close()
		t.Fatal("the address does not refuse")
	}
	time.AfterFunc(3*refusedPause, func() { _ = unix.Listen(fd, 1) })
	conn, err := reach(t.Context(), address.String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}
