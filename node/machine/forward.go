package machine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// dialPatience covers a machine that is just being restarted: visitors wait
// that long instead of being refused.
const dialPatience = 10 * time.Second

// forward accepts on one listener until it is closed and hands each connection
// to the target, saying first who the visitor is.
func forward(ctx context.Context, listener net.Listener, target string, log *slog.Logger) {
	for {
		visitor, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, mostly: connections that end free some.
			log.Warn("accept", "listener", listener.Addr().String(), "error", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		go func() {
			defer visitor.Close()
			server, err := dial(ctx, target)
			if err != nil {
				log.Warn("forward", "target", target, "error", err)
				return
			}
			defer server.Close()
			if _, err := server.Write(proxyHeader(addrPort(visitor.RemoteAddr()), addrPort(visitor.LocalAddr()))); err != nil {
				return
			}
			join(visitor, server)
		}()
	}
}

// dial tries again while the machine restarts.
func dial(ctx context.Context, target string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	for {
		var dialer net.Dialer
		server, err := dialer.DialContext(ctx, "tcp4", target)
		if err == nil {
			return server, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// join copies both ways. Each side's end is passed on alone: a client may
// finish sending and still wait for the answer.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, err := io.Copy(pair[0], pair[1])
			if half, ok := pair[0].(*net.TCPConn); ok && err == nil {
				_ = half.CloseWrite()
				return
			}
			pair[0].Close()
			pair[1].Close()
		})
	}
	both.Wait()
}

func addrPort(address net.Addr) netip.AddrPort {
	if tcp, ok := address.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}
