package store

import (
	"context"

	"kubepanel.io/kubepanel/internal/hosting"
)

func oncePlace(id string) string  { return "once." + id }
func askedPlace(id string) string { return "asked." + id }

// Once implements hosting.OnceReader.
func (q *queries) Once(ctx context.Context, actor hosting.ID, key string) (*hosting.Once, error) {
	var asked []byte
	o, err := one(ctx, q, func(row scanner) (o hosting.Once, err error) {
		var first, begun, expires int64
		err = row.Scan(&o.ID, &o.Actor, &o.Key, &o.Request, &asked, &first, &begun, &o.Made, &o.Answer, &expires)
		o.FirstAt, o.BegunAt, o.ExpiresAt = moment(first), moment(begun), moment(expires)
		return o, err
	}, `SELECT id, actor_id, key, request, asked, first_at, begun_at, made, answer, expires_at FROM once WHERE actor_id = ? AND key = ?`, actor, key)
	if err == nil && asked != nil {
		asked, err = q.db.ring.open(askedPlace(string(o.ID)), asked)
		o.Request = string(asked)
	}
	if err == nil {
		o.Answer, err = q.db.ring.open(oncePlace(string(o.ID)), o.Answer)
	}
	return &o, answer("read a request that counts once", err)
}

// CountOnce implements hosting.OnceReader.
func (q *queries) CountOnce(ctx context.Context, actor hosting.ID) (int64, error) {
	n, err := q.number(ctx, `SELECT COUNT(*) FROM once WHERE actor_id = ?`, actor)
	return n, answer("count requests that count once", err)
}

// InsertOnce implements hosting.OnceWriter. The digest of a request is encrypted: whoever
// has it could try what a site's variables may be.
func (q *queries) InsertOnce(ctx context.Context, o *hosting.Once) error {
	asked, err := q.db.ring.seal(askedPlace(string(o.ID)), []byte(o.Request))
	if err != nil {
		return err
	}
	return answer("begin a request that counts once", q.exec(ctx,
		`INSERT INTO once (id, actor_id, key, request, asked, first_at, begun_at, made, expires_at) VALUES (?, ?, ?, '', ?, ?, ?, ?, ?)`,
		o.ID, o.Actor, o.Key, asked, micros(o.FirstAt), micros(o.BegunAt), o.Made, micros(o.ExpiresAt)))
}

// UpdateOnce implements hosting.OnceWriter.
func (q *queries) UpdateOnce(ctx context.Context, o *hosting.Once) error {
	sealed, err := q.db.ring.seal(oncePlace(string(o.ID)), o.Answer)
	if err != nil {
		return err
	}
	return answer("change a request that counts once", q.change(ctx, `UPDATE once SET begun_at = ?, made = ?, answer = ? WHERE id = ?`,
		micros(o.BegunAt), o.Made, sealed, o.ID))
}

// DeleteOnce implements hosting.OnceWriter.
func (q *queries) DeleteOnce(ctx context.Context, id hosting.ID) error {
	return answer("forget a request that counts once", q.exec(ctx, `DELETE FROM once WHERE id = ?`, id))
}
