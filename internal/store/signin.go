package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// totpPlace names the encrypted column of an account.
func totpPlace(user hosting.ID) string { return "logins.totp of " + string(user) }

// Login implements hosting.SignInReader.
func (q *queries) Login(ctx context.Context, user hosting.ID) (*hosting.Login, error) {
	l, err := one(ctx, q, func(row scanner) (hosting.Login, error) {
		l := hosting.Login{User: user}
		var sealed []byte
		var recovery string
		var enrol int64
		if err := row.Scan(&l.PasswordHash, &sealed, &l.TOTPStep, &recovery, &l.Confirmed, &enrol, &l.Language); err != nil {
			return l, err
		}
		l.Enrol = enrol != 0
		var err error
		if l.TOTP, err = q.db.ring.open(totpPlace(user), sealed); err != nil {
			return l, err
		}
		return l, json.Unmarshal([]byte(recovery), &l.Recovery)
	}, `SELECT password_hash, totp, totp_step, recovery, confirmed, enrol, language FROM logins WHERE user_id = ?`, user)
	if errors.Is(err, sql.ErrNoRows) {
		return &hosting.Login{User: user}, nil
	}
	return &l, answer("read a login", err)
}

// PutLogin implements hosting.SignInWriter.
func (q *queries) PutLogin(ctx context.Context, l *hosting.Login) error {
	sealed, err := q.db.ring.seal(totpPlace(l.User), l.TOTP)
	if err != nil {
		return err
	}
	recovery, err := json.Marshal(append([]string{}, l.Recovery...))
	if err != nil {
		return err
	}
	return answer("write a login", q.exec(ctx, `INSERT INTO logins (user_id, password_hash, totp, totp_step, recovery, confirmed, enrol, language) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, totp = excluded.totp, totp_step = excluded.totp_step, recovery = excluded.recovery, confirmed = excluded.confirmed,
		enrol = excluded.enrol, language = excluded.language`,
		l.User, l.PasswordHash, sealed, l.TOTPStep, string(recovery), l.Confirmed, truth(l.Enrol), l.Language))
}

// sessionPlace names the encrypted column of a session.
func sessionPlace(id string) string { return "sessions.data of " + id }

const selectSession = `SELECT id, user_id, data, address, agent, created_at, expires_at FROM sessions `

func (q *queries) scanSession(row scanner) (hosting.Session, error) {
	var s hosting.Session
	var user sql.NullString
	var sealed []byte
	var created, expires int64
	if err := row.Scan(&s.ID, &user, &sealed, &s.Address, &s.Agent, &created, &expires); err != nil {
		return s, err
	}
	s.User, s.CreatedAt, s.ExpiresAt = hosting.ID(user.String), moment(created), moment(expires)
	var err error
	s.Data, err = q.db.ring.open(sessionPlace(s.ID), sealed)
	return s, err
}

// Session implements hosting.SignInReader.
func (q *queries) Session(ctx context.Context, id string) (*hosting.Session, error) {
	s, err := one(ctx, q, q.scanSession, selectSession+`WHERE id = ?`, id)
	return &s, answer("read a session", err)
}

// Sessions implements hosting.SignInReader.
func (q *queries) Sessions(ctx context.Context, user hosting.ID) ([]hosting.Session, error) {
	all, err := list(ctx, q, q.scanSession, selectSession+`WHERE user_id = ? ORDER BY created_at DESC`, user)
	return all, answer("list sessions", err)
}

// PutSession implements hosting.SignInWriter.
func (q *queries) PutSession(ctx context.Context, s *hosting.Session) error {
	sealed, err := q.db.ring.seal(sessionPlace(s.ID), s.Data)
	if err != nil {
		return err
	}
	return answer("write a session", q.exec(ctx, `INSERT INTO sessions (id, user_id, data, address, agent, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		s.ID, null(s.User), sealed, s.Address, s.Agent, micros(s.CreatedAt), micros(s.ExpiresAt)))
}

// UpdateSession implements hosting.SignInWriter.
func (q *queries) UpdateSession(ctx context.Context, s *hosting.Session) error {
	sealed, err := q.db.ring.seal(sessionPlace(s.ID), s.Data)
	if err != nil {
		return err
	}
	return answer("change a session", q.change(ctx, `UPDATE sessions SET user_id = ?, data = ?, address = ?, agent = ?, expires_at = ? WHERE id = ?`,
		null(s.User), sealed, s.Address, s.Agent, micros(s.ExpiresAt), s.ID))
}

// DeleteSession implements hosting.SignInWriter.
func (q *queries) DeleteSession(ctx context.Context, id string) error {
	return answer("end a session", q.exec(ctx, `DELETE FROM sessions WHERE id = ?`, id))
}

// DeleteSessions implements hosting.SignInWriter.
func (q *queries) DeleteSessions(ctx context.Context, user hosting.ID, keep string) error {
	return answer("end sessions", q.exec(ctx, `DELETE FROM sessions WHERE user_id = ? AND id <> ?`, user, keep))
}

const selectPasskey = `SELECT id, user_id, name, data, created_at, used_at FROM passkeys ` //nolint:gosec // columns

func scanPasskey(row scanner) (hosting.Passkey, error) {
	var p hosting.Passkey
	var created, used int64
	err := row.Scan(&p.ID, &p.User, &p.Name, &p.Data, &created, &used)
	p.CreatedAt, p.UsedAt = moment(created), moment(used)
	return p, err
}

// Passkey implements hosting.SignInReader.
func (q *queries) Passkey(ctx context.Context, id string) (*hosting.Passkey, error) {
	p, err := one(ctx, q, scanPasskey, selectPasskey+`WHERE id = ?`, id)
	return &p, answer("read a passkey", err)
}

// Passkeys implements hosting.SignInReader.
func (q *queries) Passkeys(ctx context.Context, user hosting.ID) ([]hosting.Passkey, error) {
	all, err := list(ctx, q, scanPasskey, selectPasskey+`WHERE user_id = ? ORDER BY created_at`, user)
	return all, answer("list passkeys", err)
}

// PutPasskey implements hosting.SignInWriter. A passkey never changes hands.
func (q *queries) PutPasskey(ctx context.Context, p *hosting.Passkey) error {
	return answer("write a passkey", q.change(ctx, `INSERT INTO passkeys (id, user_id, name, data, created_at, used_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, data = excluded.data, used_at = excluded.used_at WHERE passkeys.user_id = excluded.user_id`,
		p.ID, p.User, p.Name, p.Data, micros(p.CreatedAt), micros(p.UsedAt)))
}

// DeletePasskey implements hosting.SignInWriter.
func (q *queries) DeletePasskey(ctx context.Context, user hosting.ID, id string) error {
	return answer("delete a passkey", q.change(ctx, `DELETE FROM passkeys WHERE user_id = ? AND id = ?`, user, id))
}

// Administrators implements hosting.SignInReader.
func (q *queries) Administrators(ctx context.Context) (int64, error) {
	n, err := q.number(ctx, `SELECT COUNT(*) FROM users WHERE role = ?`, hosting.Administrator)
	return n, answer("count administrators", err)
}

// Tries implements hosting.SignInReader.
func (q *queries) Tries(ctx context.Context, key string, since time.Time) (int64, error) {
	n, err := q.number(ctx, `SELECT COUNT(*) FROM tries WHERE key = ? AND at > ?`, key, micros(since))
	return n, answer("count tries", err)
}

// AddTry implements hosting.SignInWriter.
func (q *queries) AddTry(ctx context.Context, key string, at time.Time) error {
	return answer("note a try", q.exec(ctx, `INSERT INTO tries (key, at, id) VALUES (?, ?, ?)`, key, micros(at), hosting.NewID()))
}

// ClearTries implements hosting.SignInWriter.
func (q *queries) ClearTries(ctx context.Context, key string) error {
	return answer("clear tries", q.exec(ctx, `DELETE FROM tries WHERE key = ?`, key))
}

// Sweep implements hosting.SignInWriter.
func (q *queries) Sweep(ctx context.Context, before time.Time) error {
	for _, statement := range []string{`DELETE FROM once WHERE expires_at < ?`, `DELETE FROM sessions WHERE expires_at < ?`, `DELETE FROM tokens WHERE expires_at < ?`,
		`DELETE FROM passes WHERE expires_at < ?`, `DELETE FROM pass_tokens WHERE expires_at < ?`, `DELETE FROM tries WHERE at < ?`,
		`DELETE FROM browsers WHERE expires_at < ?`, `DELETE FROM mailed_codes WHERE expires_at < ?`} {
		if err := q.exec(ctx, statement, micros(before)); err != nil {
			return answer("remove what expired", err)
		}
	}
	if err := q.exec(ctx, `DELETE FROM file_jobs WHERE beat_at < ?`, micros(before.Add(-hosting.FileJobsKept))); err != nil {
		return answer("remove old changes of files", err)
	}
	return answer("remove old deliveries", q.exec(ctx, `DELETE FROM deliveries WHERE done_at > 0 AND done_at < ?`, micros(before.Add(-hosting.DeliveriesKept))))
}
