package hosting

import (
	"context"
	"fmt"
	"strconv"
)

// Trail returns the part of the audit trail that an actor may see, the newest
// first.
func (p *Provider) Trail(ctx context.Context, a Actor, q AuditQuery) (Page[Entry], error) {
	if err := May(a, RightAuditView, Object{Owner: a.ID}); err != nil {
		return Page[Entry]{}, err
	}
	switch a.Role {
	case Administrator:
	case Reseller:
		q.Reseller = a.ID
	default:
		q.Owner = a.ID
	}
	q.Limit = limit(q.Limit)
	entries, err := p.Store.Trail(ctx, q)
	if err != nil {
		return Page[Entry]{}, err
	}
	return page(entries, q.Limit, 0, func(e Entry) string { return strconv.FormatInt(e.Seq, 10) }), nil
}

// VerifyTrail recalculates the whole audit trail, for who may see all of it.
func (p *Provider) VerifyTrail(ctx context.Context, a Actor) (int64, error) {
	if err := May(a, RightAuditView, Object{}); err != nil {
		return 0, err
	}
	return VerifyTrail(ctx, p.Store)
}

// VerifyTrail recalculates the whole audit trail and returns how many entries it
// has, or a Broken error that names the first entry that is not what was written.
func VerifyTrail(ctx context.Context, r TrailReader) (int64, error) {
	var count int64
	prev := ""
	seq, hash, err := r.WalkTrail(ctx, func(e *Entry) error {
		count++
		if e.Seq != count {
			return broken(count, fmt.Sprintf("Entry %d is missing: entry %d follows entry %d.", count, e.Seq, count-1))
		}
		if e.Chain(prev) != e.Hash {
			return broken(count, fmt.Sprintf("Entry %d is not what was written, or the one before it is not.", count))
		}
		prev = e.Hash
		return nil
	})
	if err != nil {
		return count, err
	}
	if seq != count || hash != prev {
		return count, broken(count+1, fmt.Sprintf("The trail ends at entry %d and should at entry %d.", count, seq))
	}
	return count, nil
}

func broken(seq int64, message string) error {
	return &Error{Code: Broken, Message: message,
		Mend: fmt.Sprintf("Somebody wrote to the panel's database past the panel: compare entries from %d on with a backup.", seq)}
}
