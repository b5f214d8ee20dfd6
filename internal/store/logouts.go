package store

import (
	"context"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

const selectLogout = `SELECT id, application_id, COALESCE(session_id, ''), user_id, tries, next_at FROM logouts `

func scanLogout(row scanner) (hosting.Logout, error) {
	var l hosting.Logout
	var next int64
	err := row.Scan(&l.ID, &l.Application, &l.Session, &l.User, &l.Tries, &next)
	l.NextAt = moment(next)
	return l, err
}

// Logout implements hosting.ApplicationReader.
func (q *queries) Logout(ctx context.Context, id string) (*hosting.Logout, error) {
	l, err := one(ctx, q, scanLogout, selectLogout+`WHERE id = ?`, id)
	return &l, answer("read a logout", err)
}

// DueLogouts implements hosting.ApplicationReader.
func (q *queries) DueLogouts(ctx context.Context, at time.Time, most int) ([]hosting.Logout, error) {
	all, err := list(ctx, q, scanLogout, selectLogout+`WHERE session_id IS NULL AND next_at <= ? ORDER BY next_at, id LIMIT ?`, micros(at), most)
	return all, answer("list logouts", err)
}

// InsertLogout implements hosting.ApplicationWriter.
func (q *queries) InsertLogout(ctx context.Context, l *hosting.Logout) error {
	return answer("write a logout", q.exec(ctx, `INSERT INTO logouts (id, application_id, session_id, user_id) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		l.ID, l.Application, l.Session, l.User))
}

// UpdateLogout implements hosting.ApplicationWriter.
func (q *queries) UpdateLogout(ctx context.Context, l *hosting.Logout) error {
	return answer("change a logout", q.change(ctx, `UPDATE logouts SET tries = ?, next_at = ? WHERE id = ?`, l.Tries, micros(l.NextAt), l.ID))
}

// DeleteLogout implements hosting.ApplicationWriter.
func (q *queries) DeleteLogout(ctx context.Context, id string) error {
	return answer("remove a logout", q.exec(ctx, `DELETE FROM logouts WHERE id = ?`, id))
}
