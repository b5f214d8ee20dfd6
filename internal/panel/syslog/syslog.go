// Package syslog sends the audit trail to a log server: as syslog (RFC 5424), by TLS
// (RFC 5425), and never in clear. It must never hold what is sent when, which is
// hosting's.
package syslog

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Options say where the trail is sent.
type Options struct {
	Rules *hosting.Provider
	// Server is HOST:PORT.
	Server string
	// Folder has ca.crt where the server's authority is private, and tls.crt and tls.key where
	// the server wants a certificate; "" for none of them. It is read each time, so that
	// renewed ones count at once.
	Folder string
	// Host is the panel's, as messages name it.
	Host string
	// Behind, when set, is told how many entries wait and for how long the first of them has.
	Behind func(waiting int64, since time.Duration)
	Log    *slog.Logger
}

// Sender sends what is new in the trail.
type Sender struct {
	Options

	refused refusals
	failing bool // it was told that the server is not well
	// rest is when refusals that nothing else goes with are tried again, pause what was
	// waited the last time.
	rest  time.Time
	pause time.Duration
}

// New prepares a sender. The server may be away.
func New(o Options) (*Sender, error) {
	host, port, err := net.SplitHostPort(o.Server)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || n == 0 {
		return nil, fmt.Errorf("the log server's address %q is not HOST:PORT", o.Server)
	}
	if _, err := secrecy(o.Folder, host); err != nil {
		return nil, err
	}
	return &Sender{Options: o}, nil
}

// Turn sends a batch, if there is one. Any number of panels may: hosting gives each batch
// to one. Between turns there is to be a pause: rsyslog 8.2302 closes a connection twice,
// and with it one that came in between. Its error says how far behind the server is, and
// why.
func (s *Sender) Turn(ctx context.Context) error {
	b, err := s.Rules.NextBatch(ctx, s.Server)
	if err != nil {
		return fmt.Errorf("take entries of the trail: %w", err)
	}
	switch {
	case b != nil:
		err = s.send(ctx, b)
	case !s.Rules.Now().Before(s.rest):
		err = s.sendRefusals(ctx)
	}
	if err != nil {
		return err
	}
	_, err = s.behind(ctx)
	return err
}

// send sends a batch and notes what became of it.
func (s *Sender) send(ctx context.Context, b *hosting.Batch) error {
	if b.Anew {
		s.Log.ErrorContext(ctx, "the trail is not the one that was sent: it is sent from its beginning", "server", s.Server)
	}
	failed := s.deliverWith(ctx, b.Entries)
	fault := faultOf(failed)
	if failed != nil && ctx.Err() != nil {
		fault = hosting.FaultEnded
	}
	if err := s.Rules.BatchSent(context.WithoutCancel(ctx), b, fault); err != nil {
		return fmt.Errorf("note what was sent of the trail: %w", err)
	}
	if failed == nil {
		if s.failing {
			s.failing = false
			s.Log.InfoContext(ctx, "the log server takes the trail again", "server", s.Server)
		}
		return nil
	}
	s.failing = true
	state, err := s.behind(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %d entries wait, the first since %s: %w", s.Server, state.Waiting, state.Since.UTC().Format(time.RFC3339), failed)
}

// Refusals that nothing else goes with are tried after pauses as entries are.
const firstPause, lastPause = 5 * time.Second, 5 * time.Minute

// sendRefusals sends refusals where no entry of the trail is to be sent.
func (s *Sender) sendRefusals(ctx context.Context) error {
	if all, _ := s.refused.waiting(); len(all) == 0 {
		return nil
	}
	if err := s.deliverWith(ctx, nil); err != nil {
		return fmt.Errorf("%s: refusals wait: %w", s.Server, err)
	}
	return nil
}

// deliverWith sends entries, and with them the refusals that wait.
func (s *Sender) deliverWith(ctx context.Context, entries []hosting.Entry) error {
	all, missed := s.refused.waiting()
	err := s.deliver(ctx, func(yield func(message) bool) {
		for i := range entries {
			if !yield(entryMessage(&entries[i])) {
				return
			}
		}
		for i := range all {
			if !yield(refusalMessage(&all[i])) {
				return
			}
		}
		if missed > 0 {
			yield(missedMessage(s.Rules.Now(), missed))
		}
	})
	if err != nil {
		s.pause = min(max(2*s.pause, firstPause), lastPause)
		s.rest = s.Rules.Now().Add(s.pause)
		return err
	}
	s.refused.sent(len(all), missed)
	s.rest, s.pause = time.Time{}, 0
	return nil
}

// behind looks how much waits, for whoever counts it.
func (s *Sender) behind(ctx context.Context) (*hosting.SendingState, error) {
	state, err := hosting.SendingOf(ctx, s.Rules.Store, s.Server)
	if err == nil && s.Behind != nil {
		since := time.Duration(0)
		if state.Waiting > 0 {
			since = max(0, s.Rules.Now().Sub(state.Since))
		}
		s.Behind(state.Waiting, since)
	}
	return state, err
}
