package store

import (
	"context"
	"database/sql"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

func scanMail(row scanner) (hosting.Mail, error) {
	var m hosting.Mail
	var user sql.NullString
	var created, expires, next int64
	err := row.Scan(&m.ID, &m.Kind, &m.To, &user, &m.Language, &m.Address, &created, &expires, &next, &m.Tries)
	m.User, m.CreatedAt, m.ExpiresAt, m.NextAt = hosting.ID(user.String), moment(created), moment(expires), moment(next)
	return m, err
}

// DueMail implements hosting.MailReader.
func (q *queries) DueMail(ctx context.Context, at time.Time) (*hosting.Mail, error) {
	m, err := one(ctx, q, scanMail, `SELECT id, kind, recipient, user_id, language, address, created_at, expires_at, next_at, tries
		FROM mails WHERE next_at <= ? ORDER BY next_at LIMIT 1`, micros(at))
	return &m, answer("look for mail to be sent", err)
}

// InsertMail implements hosting.MailWriter.
func (q *queries) InsertMail(ctx context.Context, m *hosting.Mail) error {
	return answer("keep a mail to be sent", q.exec(ctx,
		`INSERT INTO mails (id, kind, recipient, user_id, language, address, created_at, expires_at, next_at, tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		m.ID, m.Kind, m.To, null(m.User), m.Language, m.Address, micros(m.CreatedAt), micros(m.ExpiresAt), micros(m.NextAt), m.Tries))
}

// UpdateMail implements hosting.MailWriter.
func (q *queries) UpdateMail(ctx context.Context, m *hosting.Mail) error {
	return answer("keep a mail to be tried again", q.change(ctx, `UPDATE mails SET next_at = ?, tries = ? WHERE id = ?`, micros(m.NextAt), m.Tries, m.ID))
}

// DeleteMail implements hosting.MailWriter.
func (q *queries) DeleteMail(ctx context.Context, id hosting.ID) error {
	return answer("forget a mail", q.exec(ctx, `DELETE FROM mails WHERE id = ?`, id))
}
