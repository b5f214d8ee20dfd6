package hosting

import (
	"context"
	"time"
)

// Once is a request that is to count once, however often it comes: by a key that its
// sender chose. What it made stands in the same transaction that made it, so that it is
// known after a crash; its answer comes later.
type Once struct {
	ID    ID
	Actor ID
	Key   string
	// Request is a digest of all that was asked.
	Request string
	// BegunAt is when who works on it now began, which also tells two of them apart; the
	// zero time says that nobody does. FirstAt is when it came first.
	FirstAt, BegunAt time.Time
	// Made is what the request made, as addresses name it; empty while nothing was.
	Made string
	// Answer is what was answered; nil until then. The store keeps it encrypted.
	Answer    []byte
	ExpiresAt time.Time
}

const (
	// onceLife is how long a request counts once, and mostOnce how many of an account are
	// remembered.
	onceLife = 24 * time.Hour
	mostOnce = 1000
	// onceLease is how long a request may be worked on before whoever did is taken for
	// dead: longer than any request lives that is not known to take longer.
	onceLease = 2 * time.Minute
)

// OnceReader reads requests that count once.
type OnceReader interface {
	Once(ctx context.Context, actor ID, key string) (*Once, error)
	// CountOnce returns how many of an account are remembered.
	CountOnce(ctx context.Context, actor ID) (int64, error)
}

// OnceWriter writes them.
type OnceWriter interface {
	InsertOnce(ctx context.Context, o *Once) error
	UpdateOnce(ctx context.Context, o *Once) error
	DeleteOnce(ctx context.Context, id ID) error
}

// Once returns the rules for a request that counts once: what they make is noted with
// it, and a change by whom another replaced meanwhile is refused.
func (p *Provider) Once(o *Once) *Provider {
	q := *p
	q.once = o
	return &q
}

// note writes into the transaction of a change that the request made something.
func (p *Provider) note(ctx context.Context, tx Tx, c change) error {
	if p.once == nil {
		return nil
	}
	now, err := ours(ctx, tx, p.once)
	if err != nil || c.made == "" && !c.undone {
		return err
	}
	now.Made = c.made
	return tx.UpdateOnce(ctx, now)
}

// ours reads a request again and refuses who is not any more the one that works on it.
func ours(ctx context.Context, tx Tx, o *Once) (*Once, error) {
	now, err := tx.Once(ctx, o.Actor, o.Key)
	if err != nil && CodeOf(err) != NotFound {
		return nil, err
	}
	if err != nil || now.ID != o.ID || !now.BegunAt.Equal(o.BegunAt) || now.Answer != nil {
		return nil, &Error{Code: Conflict, Message: "The same request is worked on elsewhere.", Mend: "Ask again in a moment."}
	}
	return now, nil
}

// BeginOnce begins work on a request, or returns it with its answer. When Made is set
// and there is no answer, whoever worked on it died in between: it has made that. longest
// is how long such a request may take, where that is known to be long.
func (p *Provider) BeginOnce(ctx context.Context, a Actor, key, request string, longest time.Duration) (*Once, error) {
	var o *Once
	err := p.Store.Write(ctx, func(tx Tx) error {
		now := p.Now().UTC().Truncate(time.Microsecond)
		found, err := tx.Once(ctx, a.ID, key)
		switch {
		case err != nil && CodeOf(err) != NotFound:
			return err
		case err == nil && found.ExpiresAt.After(now):
			o = found
			if o.Request != request {
				return invalidField("Idempotency-Key", "This key was used for another request; choose a new one for each.", nil)
			}
			return takeOver(ctx, tx, o, now, onceLease+longest)
		case err == nil:
			if err := tx.DeleteOnce(ctx, found.ID); err != nil {
				return err
			}
		}
		n, err := tx.CountOnce(ctx, a.ID)
		if err != nil {
			return err
		}
		if n >= mostOnce {
			return &Error{Code: Limited, Message: "There are too many requests that are to count once.",
				Mend: "Leave the key out, or wait until those of yesterday are forgotten."}
		}
		o = &Once{ID: NewID(), Actor: a.ID, Key: key, Request: request, FirstAt: now, BegunAt: now, ExpiresAt: now.Add(onceLife)}
		return tx.InsertOnce(ctx, o)
	})
	return o, err
}

// takeOver goes on with a request that came before, unless somebody is at it.
func takeOver(ctx context.Context, tx Tx, o *Once, now time.Time, lease time.Duration) error {
	switch {
	case o.Answer != nil:
		return nil
	case o.BegunAt.After(now.Add(-lease)):
		return &Error{Code: Conflict, Message: "The same request is being worked on.", Mend: "Ask again in a moment."}
	}
	o.BegunAt = now
	return tx.UpdateOnce(ctx, o)
}

// EndOnce keeps the answer of a request.
func (p *Provider) EndOnce(ctx context.Context, o *Once, answer []byte) error {
	return p.Store.Write(ctx, func(tx Tx) error {
		now, err := ours(ctx, tx, o)
		if err != nil {
			return err
		}
		now.Answer = answer
		return tx.UpdateOnce(ctx, now)
	})
}

// DropOnce ends work on a request that did not succeed for a reason that passes: it may
// be tried again. What it made already stays noted.
func (p *Provider) DropOnce(ctx context.Context, o *Once) error {
	return p.Store.Write(ctx, func(tx Tx) error {
		now, err := ours(ctx, tx, o)
		if err != nil {
			return err
		}
		if now.Made == "" {
			return tx.DeleteOnce(ctx, now.ID)
		}
		now.BegunAt = time.Time{}
		return tx.UpdateOnce(ctx, now)
	})
}

// ForgetMade says that what a request made is not there any more, so that it is made
// anew.
func (p *Provider) ForgetMade(ctx context.Context, o *Once) error {
	return p.Store.Write(ctx, func(tx Tx) error {
		now, err := ours(ctx, tx, o)
		if err != nil {
			return err
		}
		o.Made, now.Made = "", ""
		return tx.UpdateOnce(ctx, now)
	})
}
