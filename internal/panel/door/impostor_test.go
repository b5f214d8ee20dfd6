package door_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
	"kubepanel.io/kubepanel/internal/panel/door/doortest"
)

// trickle answers an order without an end, and does not hear that nobody waits for it.
func trickle(to func(ssh.Channel) io.Writer, text string) doortest.Impostor {
	return func(c ssh.Channel, requests <-chan *ssh.Request, deaf func()) {
		_ = (<-requests).Reply(true, nil)
		deaf()
		for {
			if _, err := io.WriteString(to(c), text); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// A tenant with a shell can stand in the toolbox's place. However long it goes on, who left
// gets their turn back, and can use it at other sites.
func TestASiteHoldsNobodyWhoLeft(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]doortest.Impostor{
		"progress": trickle(func(c ssh.Channel) io.Writer { return c.Stderr() }, "{}\n"),
		"output":   trickle(func(c ssh.Channel) io.Writer { return c }, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := doortest.New(t)
			s.Impostor(site, serve)
			ctx, leave := context.WithTimeout(t.Context(), time.Second)
			defer leave()
			ended := make(chan error, 1)
			go func() {
				_, err := s.Order(ctx, visit(), orders.Order{Do: orders.List, Path: "/"}, nil, io.Discard)
				ended <- err
			}()
			select {
			case err := <-ended:
				if err == nil {
					t.Error("an order without an end is no error")
				}
			case <-time.After(30 * time.Second):
				t.Error("the order goes on, although nobody waits for it")
			}
		})
	}
}

// The gateway answers a request for a terminal when the site does.
func TestATerminalThatNeverComesHoldsNobody(t *testing.T) {
	t.Parallel()
	s := doortest.New(t)
	var asked atomic.Int64
	s.Impostor(site, func(_ ssh.Channel, requests <-chan *ssh.Request, _ func()) {
		for range requests {
			asked.Add(1)
		}
	})
	ended := make(chan error, 1)
	go func() {
		_, err := s.Terminal(t.Context(), visit(), hosting.TerminalSize{Columns: 80, Rows: 24})
		ended <- err
	}()
	select {
	case err := <-ended:
		if hosting.CodeOf(err) != hosting.Unreachable || asked.Load() == 0 {
			t.Errorf("a terminal that never comes = %v, after %d requests", err, asked.Load())
		}
	case <-time.After(40 * time.Second):
		t.Error("the terminal is waited for without an end")
	}
}
