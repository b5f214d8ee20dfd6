package gateway

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

const (
	// refusedTime is for how long a refused connection is tried again: a site that has
	// just become ready is known to the API server before every node's routes.
	refusedTime  = 3 * time.Second
	refusedPause = 100 * time.Millisecond
)

// reach connects with a site's server. A refusal within the first seconds is
// waited out; every other failure, and the end of ctx, is told at once.
func reach(ctx context.Context, address string) (net.Conn, error) {
	for begin := time.Now(); ; {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil || !errors.Is(err, syscall.ECONNREFUSED) || time.Since(begin) > refusedTime {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(refusedPause):
		}
	}
}
