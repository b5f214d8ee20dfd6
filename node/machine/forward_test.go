package machine

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// The bytes are those of the PROXY protocol's section 2.2.
func TestProxyHeaderNamesTheVisitor(t *testing.T) {
	signature := "\r\n\r\n\x00\r\nQUIT\n"
	tests := map[string]struct{ visitor, server, want string }{
		"IPv4": {
			visitor: "192.0.2.7:40000", server: "127.0.0.1:443",
			want: signature + "\x21\x11\x00\x0c" + "\xc0\x00\x02\x07" + "\x7f\x00\x00\x01" + "\x9c\x40" + "\x01\xbb",
		},
		"IPv4 on an IPv6 socket": {
			visitor: "[::ffff:192.0.2.7]:40000", server: "[::ffff:127.0.0.1]:443",
			want: signature + "\x21\x11\x00\x0c" + "\xc0\x00\x02\x07" + "\x7f\x00\x00\x01" + "\x9c\x40" + "\x01\xbb",
		},
		"IPv6": {
			visitor: "[::1]:40000", server: "[::1]:80",
			want: signature + "\x21\x21\x00\x24" + strings.Repeat("\x00", 15) + "\x01" + strings.Repeat("\x00", 15) + "\x01" + "\x9c\x40" + "\x00\x50",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := proxyHeader(netip.MustParseAddrPort(tt.visitor), netip.MustParseAddrPort(tt.server))
			if string(got) != tt.want {
				t.Errorf("proxyHeader(%s, %s) = %q, want %q", tt.visitor, tt.server, got, tt.want)
			}
		})
	}
}

// A client that has finished sending still gets the answer, after the header
// that names it.
func TestForwarderCarriesBothWaysAndHalfClose(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	received := make(chan string, 1)
	go func() {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		request, _ := io.ReadAll(conn)
		received <- string(request)
		_, _ = io.WriteString(conn, "answer")
	}()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go forward(t.Context(), front, server.Addr().String(), slog.New(slog.DiscardHandler))
	defer front.Close()
	client, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := io.WriteString(client, "question"); err != nil {
		t.Fatal(err)
	}
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(client)
	if string(answer) != "answer" || err != nil {
		t.Errorf("answer = %q, %v; want %q", answer, err, "answer")
	}
	want := string(proxyHeader(addrPort(client.LocalAddr()), addrPort(client.RemoteAddr()))) + "question"
	if got := <-received; got != want {
		t.Errorf("server received %q, want %q", got, want)
	}
}
