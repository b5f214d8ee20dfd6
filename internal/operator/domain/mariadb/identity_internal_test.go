package mariadb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// How a server's end of a connection is told depends on who was faster.
func TestWhoHangsUpIsKnownByEveryError(t *testing.T) {
	told := func(op string, err error) error { return fmt.Errorf("ping: %w", &net.OpError{Op: op, Err: err}) }
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"an alert":                  {told("remote error", errors.New("tls: unknown certificate authority")), true},
		"a read that found the end": {mysql.ErrInvalidConn, true},
		"a write that was too late": {driver.ErrBadConn, true},
		"the same of the driver's":  {errors.New("bad connection"), true}, // errBadConnNoWrite
		"a pipe without an end":     {told("write", os.NewSyscallError("write", syscall.EPIPE)), true},
		"a reset":                   {told("read", os.NewSyscallError("read", syscall.ECONNRESET)), true},
		"nobody there":              {told("dial", os.NewSyscallError("connect", syscall.ECONNREFUSED)), false},
		"no answer":                 {told("read", os.ErrDeadlineExceeded), false},
		"no answer in time":         {fmt.Errorf("ping: %w", context.DeadlineExceeded), false},
		"another password":          {&mysql.MySQLError{Number: 1045}, false},
	} {
		if got := ended(tt.err); got != tt.want {
			t.Errorf("%s (%v): hung up = %t, want %t", name, tt.err, got, tt.want)
		}
	}
}
