package store

import (
	"context"
	"math"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Trail implements hosting.TrailReader.
func (q *queries) Trail(ctx context.Context, query hosting.AuditQuery) ([]hosting.Entry, error) {
	entries, err := q.trailPage(ctx, query)
	return entries, answer("read the trail", err)
}

func (q *queries) trailPage(ctx context.Context, query hosting.AuditQuery) ([]hosting.Entry, error) {
	if !query.Narrowed() {
		w := where{}
		if query.Before > 0 {
			w.and(`seq < ?`, query.Before)
		}
		return list(ctx, q, scanEntry, selectEntry+w.String()+` ORDER BY seq DESC LIMIT ?`, append(w.args, query.Limit+1)...)
	}
	span, err := q.span(ctx, query)
	if err != nil {
		return nil, err
	}
	statement, args := q.narrowed(query, span)
	return list(ctx, q, scanEntry, statement, args...)
}

// span narrows to times, and to what follows the page before. The end is one bound for
// both: of two, SQLite takes the wrong one and reads all earlier pages again.
func (q *queries) span(ctx context.Context, query hosting.AuditQuery) (where, error) {
	w := where{}
	if !query.From.IsZero() {
		w.and(`at >= ?`, micros(query.From))
	}
	at, seq := int64(math.MaxInt64), int64(0) // no entry has the number 0: all that is before at
	if !query.To.IsZero() {
		at = micros(query.To)
	}
	if query.Before > 0 {
		last, err := q.number(ctx, `SELECT COALESCE(MAX(at), ?) FROM trail WHERE seq = ?`, int64(math.MaxInt64), query.Before)
		if err != nil {
			return w, err
		}
		if last < at {
			at, seq = last, query.Before
		}
	}
	if at < math.MaxInt64 {
		w.and(`(at, seq) < (?, ?)`, at, seq)
	}
	return w, nil
}

const newestFirst = ` ORDER BY at DESC, seq DESC LIMIT ?`

// narrowed is the statement for a part of the trail. An index of the trail is of one column,
// the time and the number, so that a page is read in its order from one place on, and what
// is older is never read. Which index is taken is said here: without statistics, which
// SQLite has none of, it is chance.
func (q *queries) narrowed(query hosting.AuditQuery, span where) (statement string, args []any) {
	mine := narrowedTo(query)
	w, led := where{}, len(mine) > 0 && query.Object == ""
	for _, c := range []struct{ column, value string }{
		{"object", query.Object}, {"actor", string(query.Actor)}, {"did", query.Did},
	} {
		if c.value == "" {
			continue
		}
		if led {
			c.column = q.db.kind.unindexed(c.column)
		}
		w.and(c.column+` = ?`, c.value)
		led = true
	}
	w.join(span)
	most := query.Limit + 1
	switch {
	case len(mine) == 0:
	case query.Object != "": // few entries are about one thing
		any := where{}
		for _, m := range mine {
			any.join(m)
		}
		w.and(`(`+strings.Join(any.parts, " OR ")+`)`, any.args...)
	default:
		// The newest by each reason for which entries are somebody's, and of those the newest.
		parts := make([]string, 0, len(mine))
		for _, m := range mine {
			m.join(w)
			parts = append(parts, `SELECT seq FROM (SELECT at, seq FROM trail `+m.String()+newestFirst+`) AS part`)
			args = append(append(args, m.args...), most)
		}
		return selectEntry + `WHERE seq IN (` + strings.Join(parts, " UNION ") + `)` + newestFirst, append(args, most)
	}
	return selectEntry + w.String() + newestFirst, append(w.args, most)
}

// narrowedTo are the reasons, of which one is enough, for which an entry is of the part that
// somebody may see; none is all of the trail.
func narrowedTo(query hosting.AuditQuery) []where {
	id, columns := query.Owner, []string{"owner", "actor"}
	if query.Reseller != "" {
		id, columns = query.Reseller, []string{"reseller", "owner", "actor"}
	}
	if id == "" {
		return nil
	}
	reasons := make([]where, len(columns))
	for i, column := range columns {
		reasons[i].and(column+` = ?`, id)
	}
	return reasons
}
