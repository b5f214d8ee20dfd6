package store

import (
	"context"

	"kubepanel.io/kubepanel/internal/hosting"
)

const selectEntry = `SELECT seq, at, actor, actor_name, behind, behind_name, address, did, object, owner, reseller, before, after, hash FROM trail `

func scanEntry(row scanner) (hosting.Entry, error) {
	var e hosting.Entry
	var at int64
	err := row.Scan(&e.Seq, &at, &e.Actor, &e.ActorName, &e.Behind, &e.BehindName, &e.Address, &e.Did, &e.Object,
		&e.Owner, &e.Reseller, &e.Before, &e.After, &e.Hash)
	e.At = moment(at)
	return e, err
}

// end is the last number and hash of the trail.
type end struct {
	seq  int64
	hash string
}

func (q *queries) trailEnd(ctx context.Context) (end, error) {
	return one(ctx, q, func(row scanner) (e end, err error) { return e, row.Scan(&e.seq, &e.hash) }, `SELECT seq, hash FROM trail_end WHERE id = 1`)
}

// Append implements hosting.Tx. Two transactions that append at once can't both
// commit: both read and write the trail's end.
func (q *queries) Append(ctx context.Context, e *hosting.Entry) error {
	last, err := q.trailEnd(ctx)
	if err != nil {
		return answer("read the end of the trail", err)
	}
	e.Seq = last.seq + 1
	e.Hash = e.Chain(last.hash)
	if err := q.change(ctx, `UPDATE trail_end SET seq = ?, hash = ? WHERE id = 1`, e.Seq, e.Hash); err != nil {
		return answer("move the end of the trail", err)
	}
	return answer("append to the trail", q.exec(ctx, `INSERT INTO trail (seq, at, actor, actor_name, behind, behind_name, address, did, object, owner, reseller, before, after, hash)
		VALUES (`+marks(14)+`)`, e.Seq, micros(e.At), e.Actor, e.ActorName, e.Behind, e.BehindName, e.Address, e.Did, e.Object,
		e.Owner, e.Reseller, e.Before, e.After, e.Hash))
}

// walkStep is how many entries are held in memory at once.
const walkStep = 1000

// WalkTrail implements hosting.TrailReader. The end is read first, and entries that
// are appended meanwhile are left out.
func (q *queries) WalkTrail(ctx context.Context, see func(*hosting.Entry) error) (int64, string, error) {
	last, err := q.trailEnd(ctx)
	if err != nil {
		return 0, "", answer("read the end of the trail", err)
	}
	for after := int64(-1); ; {
		entries, err := list(ctx, q, scanEntry, selectEntry+`WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`, after, last.seq, walkStep)
		if err != nil {
			return 0, "", answer("read the trail", err)
		}
		for i := range entries {
			if err := see(&entries[i]); err != nil {
				return 0, "", err
			}
			after = entries[i].Seq
		}
		if len(entries) < walkStep {
			return last.seq, last.hash, nil
		}
	}
}
