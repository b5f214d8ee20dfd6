package hosting

import (
	"context"
	"fmt"
	"strconv"
	"strings"
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
	var wrong faults
	wrong.span(q.From, q.To)
	if err := wrong.err(); err != nil {
		return Page[Entry]{}, err
	}
	q.Limit = limit(q.Limit)
	if q.By != "" {
		// Whoever is named only narrows what the actor sees anyway. That there is no such
		// account is answered like one that did nothing there.
		u, err := p.Store.UserByEmail(ctx, strings.ToLower(q.By))
		if CodeOf(err) == NotFound {
			return Page[Entry]{}, nil
		}
		if err != nil {
			return Page[Entry]{}, err
		}
		q.Actor = u.ID
	}
	entries, err := p.Store.Trail(ctx, q)
	if err != nil {
		return Page[Entry]{}, err
	}
	return page(entries, q.Limit, 0, func(e Entry) string { return strconv.FormatInt(e.Seq, 10) }), nil
}

// exportStep is how many entries an export holds in memory at once.
const exportStep = 200

// ExportTrail returns what gives every entry that an actor may see to put, the newest first;
// those that are made meanwhile are left out. Whether the trail may be read, and the first
// entries, are known before anything is put.
func (p *Provider) ExportTrail(ctx context.Context, a Actor, q AuditQuery) (each func(put func(*Entry) error) error, err error) {
	q.Limit = exportStep
	page, err := p.Trail(ctx, a, q)
	if err != nil {
		return nil, err
	}
	return func(put func(*Entry) error) error {
		for {
			for i := range page.Items {
				if err := put(&page.Items[i]); err != nil {
					return err
				}
			}
			if page.Next == "" {
				return nil
			}
			q.Before = page.Items[len(page.Items)-1].Seq
			if page, err = p.Trail(ctx, a, q); err != nil {
				return err
			}
		}
	}, nil
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

// TrailBackwards recalculates entries that come the newest first, as the trail is written
// out. One that was left out by a filter is missing like one that was removed.
type TrailBackwards struct {
	newer *Entry // the entry that came before this one
	seq   int64  // the newest one's number
	hash  string // and its hash
}

// See takes the next entry. It returns a Broken error that names one that is missing, or
// is not what was written.
func (t *TrailBackwards) See(e Entry) error {
	if t.newer == nil {
		t.seq, t.hash = e.Seq, e.Hash
	} else if err := t.link(e.Seq, e.Hash); err != nil {
		return err
	}
	t.newer = &e
	return nil
}

// End says that no entry follows, and returns the newest one's number and hash.
func (t *TrailBackwards) End() (seq int64, hash string, err error) {
	if t.newer == nil {
		return 0, "", nil
	}
	return t.seq, t.hash, t.link(0, "")
}

// link holds the newer entry against the number and the hash of the one before it.
func (t *TrailBackwards) link(seq int64, hash string) error {
	if was := t.newer.Seq - 1; seq != was {
		return broken(was, fmt.Sprintf("Entry %d is missing: entry %d stands before entry %d.", was, seq, t.newer.Seq))
	}
	if t.newer.Chain(hash) != t.newer.Hash {
		return broken(t.newer.Seq, fmt.Sprintf("Entry %d is not what was written, or the one before it is not.", t.newer.Seq))
	}
	return nil
}

// TrailForwards recalculates entries that come the oldest first, as a log server keeps
// them: from any one on, some more than once, and of a batch that broke off its end before
// its beginning.
type TrailForwards struct {
	first  int64
	hashes []string // of all entries that follow each other, from the first on
	early  map[int64]Entry
}

// See takes the next entry. It returns a Broken error that names one that is not what was
// written.
func (t *TrailForwards) See(e Entry) error {
	if t.first == 0 {
		t.first, t.early = e.Seq, map[int64]Entry{}
	}
	next := t.first + int64(len(t.hashes))
	switch had, waits := t.early[e.Seq]; {
	case e.Seq < t.first:
		return broken(e.Seq, fmt.Sprintf("Entry %d stands behind entry %d.", e.Seq, t.first))
	case e.Seq < next && t.hashes[e.Seq-t.first] != e.Hash, waits && had.Hash != e.Hash:
		return broken(e.Seq, fmt.Sprintf("Entry %d is there twice, and not the same.", e.Seq))
	case e.Seq > next:
		t.early[e.Seq] = e
		return nil
	case e.Seq < next:
		return nil
	}
	for ok := true; ok; e, ok = t.early[e.Seq+1] {
		if err := t.link(&e); err != nil {
			return err
		}
	}
	return nil
}

// link holds an entry against the hash of the one before it, where that is known.
func (t *TrailForwards) link(e *Entry) error {
	delete(t.early, e.Seq)
	prev, known := "", e.Seq == 1
	if n := len(t.hashes); n > 0 {
		prev, known = t.hashes[n-1], true
	}
	if known && e.Chain(prev) != e.Hash {
		return broken(e.Seq, fmt.Sprintf("Entry %d is not what was written, or the one before it is not.", e.Seq))
	}
	t.hashes = append(t.hashes, e.Hash)
	return nil
}

// End says that no entry follows, and returns the numbers of the first and the last one,
// 0 for none, and the last one's hash.
func (t *TrailForwards) End() (first, last int64, hash string, err error) {
	if t.first == 0 {
		return 0, 0, "", nil
	}
	last = t.first + int64(len(t.hashes)) - 1
	if len(t.early) > 0 {
		return t.first, last, "", broken(last+1, fmt.Sprintf("Entry %d is missing: later ones are there.", last+1))
	}
	return t.first, last, t.hashes[len(t.hashes)-1], nil
}
