package hosting

import (
	"context"
	"time"
)

// Sending is how far the trail came to a log server: one that can be added to and not
// changed, apart from the cluster.
type Sending struct {
	Server string // HOST:PORT
	// Seq is the last entry that the server confirmed, 0 for none, and Hash that entry's.
	Seq  int64
	Hash string
	// ConfirmedAt is when it did.
	ConfirmedAt time.Time
	// Tries are those that failed since, Fault is why the last of them did.
	Tries int
	Fault SendFault
	// NextAt is when it is tried next; while somebody sends, when that is given up.
	NextAt time.Time
}

// SendFault is why a log server did not confirm what was sent; "" for that it did.
type SendFault string

// Faults of sending.
const (
	FaultUnreachable SendFault = "unreachable"
	FaultCertificate SendFault = "certificate"
	FaultRefused     SendFault = "refused"
	FaultSlow        SendFault = "slow"
	FaultUnconfirmed SendFault = "unconfirmed"
	FaultSettings    SendFault = "settings"
	// FaultEnded is no fault of the server's: the panel ended while it sent.
	FaultEnded SendFault = "ended"
)

// Explain says what it is and what mends it; nil for no fault.
func (f SendFault) Explain() *Error {
	switch f {
	case FaultUnreachable:
		return &Error{Code: Unreachable, Message: "The log server could not be reached, or it broke the connection off.", Mend: "See that it runs, and that the panel's pod may go there."}
	case FaultCertificate:
		return &Error{Code: Unreachable, Message: "The log server has no certificate that is valid for its name.", Mend: "Give it one, or name its authority in ca.crt of the Secret panel.syslogSecret."}
	case FaultRefused:
		return &Error{Code: Unreachable, Message: "The log server refused the panel, most often since it does not know its certificate.", Mend: "Put one that it knows into tls.crt and tls.key of the Secret panel.syslogSecret; the panel's log has the server's own word."}
	case FaultSlow:
		return &Error{Code: Unreachable, Message: "The log server did not take everything in time.", Mend: "See whether it has room left."}
	case FaultUnconfirmed:
		return &Error{Code: Unreachable, Message: "The log server did not say that it had read everything.", Mend: "It has to answer a close_notify (RFC 5425, section 4.4); rsyslog does with the driver ossl."}
	case FaultSettings:
		return &Error{Code: Unreachable, Message: "The certificates for the log server can't be read.", Mend: "See that the Secret panel.syslogSecret has PEM in ca.crt, tls.crt and tls.key."}
	case FaultEnded:
	}
	return nil
}

// SendingReader reads how far the trail came.
type SendingReader interface {
	// Sending returns the zero place of a server that nothing was sent to.
	Sending(ctx context.Context, server string) (*Sending, error)
}

// SendingWriter writes it.
type SendingWriter interface {
	PutSending(ctx context.Context, s *Sending) error
}

// Batch is entries that their holder may send, the oldest first.
type Batch struct {
	Sending

	Entries []Entry
	// Anew: the trail is not the one that was sent, so that it is sent from its beginning.
	Anew bool
}

const (
	// batchLease is how long a panel may take to send a batch before another tries: longer
	// than it does.
	batchLease = time.Minute
	// batchEntries bounds a batch, which is held in memory.
	batchEntries = 1000
)

// NextBatch takes what is to be sent to a server now; nil for nothing. Nobody else gets
// any of it until its holder told what became of it, or the lease is over, so that
// entries go in their order, each at least once, whatever dies.
func (p *Provider) NextBatch(ctx context.Context, server string) (*Batch, error) {
	// Most of the time there is none, which costs no transaction.
	if due, err := p.due(ctx, p.Store, server); err != nil || due == nil {
		return nil, err
	}
	var b *Batch
	err := p.Store.Write(ctx, func(tx Tx) error {
		b = nil
		s, err := p.due(ctx, tx, server)
		if err != nil || s == nil {
			return err
		}
		next := &Batch{Sending: *s}
		if next.Anew, err = rewritten(ctx, tx, s); err != nil {
			return err
		}
		if next.Anew {
			next.Seq, next.Hash = 0, ""
		}
		if next.Entries, err = tx.TrailAfter(ctx, next.Seq, batchEntries); err != nil || len(next.Entries) == 0 {
			return err
		}
		next.NextAt = p.Now().Add(batchLease).Truncate(time.Microsecond)
		b = next
		return tx.PutSending(ctx, &next.Sending)
	})
	return b, err
}

// due returns the place to send from, where it is time to.
func (p *Provider) due(ctx context.Context, r Reader, server string) (*Sending, error) {
	s, err := r.Sending(ctx, server)
	if err != nil || p.Now().Before(s.NextAt) {
		return nil, err
	}
	if end, err := r.TrailEnd(ctx); err != nil || end == s.Seq {
		return nil, err
	}
	return s, nil
}

// rewritten tells whether the last entry that was sent is not in the trail any more.
func rewritten(ctx context.Context, r Reader, s *Sending) (bool, error) {
	if s.Seq == 0 {
		return false, nil
	}
	last, err := r.TrailAfter(ctx, s.Seq-1, 1)
	if err != nil {
		return false, err
	}
	return len(last) == 0 || last[0].Seq != s.Seq || last[0].Hash != s.Hash, nil
}

// Pauses after a failure grow from one to the other, so that a server that is back has
// everything within minutes.
const (
	firstSendPause = 5 * time.Second
	lastSendPause  = 5 * time.Minute
)

// BatchSent notes what became of a batch: confirmed without a fault, to be sent again
// with one.
func (p *Provider) BatchSent(ctx context.Context, b *Batch, fault SendFault) error {
	return p.Store.Write(ctx, func(tx Tx) error {
		s, err := tx.Sending(ctx, b.Server)
		if err != nil || !s.NextAt.Equal(b.NextAt) {
			return err // it took longer than its lease, and is somebody else's
		}
		switch fault {
		case "":
			last := &b.Entries[len(b.Entries)-1]
			*s = Sending{Server: b.Server, Seq: last.Seq, Hash: last.Hash, ConfirmedAt: p.Now()}
		case FaultEnded:
			s.NextAt = time.Time{}
		default:
			s.Fault, s.NextAt = fault, p.Now().Add(min(firstSendPause<<min(s.Tries, 10), lastSendPause))
			s.Tries++
		}
		return tx.PutSending(ctx, s)
	})
}

// SendingState is how far the trail came to the log server, and what is behind.
type SendingState struct {
	Sending

	// Waiting is how many entries it has not confirmed, Since when the first of them was made.
	Waiting int64
	Since   time.Time
}

// lateAfter is how long an entry may wait before the panel calls it late.
const lateAfter = 5 * time.Minute

// Late tells whether somebody should look.
func (s *SendingState) Late(now time.Time) bool {
	return s.Waiting > 0 && (s.Tries > 0 || now.Sub(s.Since) > lateAfter)
}

// TrailSending returns how far the trail came to who may see all of it; nil where it goes
// nowhere.
func (p *Provider) TrailSending(ctx context.Context, a Actor) (*SendingState, error) {
	if err := May(a, RightAuditView, Object{}); err != nil {
		return nil, err
	}
	if p.LogServer == "" {
		return nil, nil
	}
	return SendingOf(ctx, p.Store, p.LogServer)
}

// SendingOf returns how far the trail came to a server.
func SendingOf(ctx context.Context, r Reader, server string) (*SendingState, error) {
	s, err := r.Sending(ctx, server)
	if err != nil {
		return nil, err
	}
	end, err := r.TrailEnd(ctx)
	if err != nil {
		return nil, err
	}
	state := &SendingState{Sending: *s, Waiting: max(0, end-s.Seq)}
	if state.Waiting == 0 {
		return state, nil
	}
	next, err := r.TrailAfter(ctx, s.Seq, 1)
	if len(next) > 0 {
		state.Since = next[0].At
	}
	return state, err
}
