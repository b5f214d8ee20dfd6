package store

import (
	"context"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

const selectPass = `SELECT id, application_id, user_id, session_id, code_hash, redirect, challenge, nonce, scopes, factor, proven_at, created_at, redeemed_at, expires_at FROM passes ` //nolint:gosec // names of columns

func scanPass(row scanner) (hosting.Pass, error) {
	var p hosting.Pass
	var scopes string
	var factor, proven, created, redeemed, expires int64
	err := row.Scan(&p.ID, &p.Application, &p.User, &p.Session, &p.CodeHash, &p.Redirect, &p.Challenge, &p.Nonce, &scopes, &factor, &proven, &created, &redeemed, &expires)
	p.Scopes, p.Factor = strings.Fields(scopes), factor != 0
	p.ProvenAt, p.CreatedAt, p.RedeemedAt, p.ExpiresAt = moment(proven), moment(created), moment(redeemed), moment(expires)
	return p, err
}

// Pass implements hosting.ApplicationReader.
func (q *queries) Pass(ctx context.Context, id hosting.ID) (*hosting.Pass, error) {
	p, err := one(ctx, q, scanPass, selectPass+`WHERE id = ?`, id)
	return &p, answer("read a pass", err)
}

// PassByCode implements hosting.ApplicationReader.
func (q *queries) PassByCode(ctx context.Context, hash string) (*hosting.Pass, error) {
	p, err := one(ctx, q, scanPass, selectPass+`WHERE code_hash = ?`, hash)
	return &p, answer("read a pass", err)
}

// InsertPass implements hosting.ApplicationWriter.
func (q *queries) InsertPass(ctx context.Context, p *hosting.Pass) error {
	return answer("write a pass", q.exec(ctx, `INSERT INTO passes (id, application_id, user_id, session_id, code_hash, redirect, challenge, nonce, scopes, factor, proven_at, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, p.ID, p.Application, p.User, p.Session, p.CodeHash, p.Redirect, p.Challenge, p.Nonce,
		strings.Join(p.Scopes, " "), truth(p.Factor), micros(p.ProvenAt), micros(p.CreatedAt), micros(p.ExpiresAt)))
}

// RedeemPass implements hosting.ApplicationWriter.
func (q *queries) RedeemPass(ctx context.Context, p *hosting.Pass) error {
	return answer("redeem a pass", q.change(ctx, `UPDATE passes SET redeemed_at = ?, expires_at = ? WHERE id = ?`, micros(p.RedeemedAt), micros(p.ExpiresAt), p.ID))
}

// DeletePass implements hosting.ApplicationWriter.
func (q *queries) DeletePass(ctx context.Context, id hosting.ID) error {
	return answer("end a pass", q.exec(ctx, `DELETE FROM passes WHERE id = ?`, id))
}

// PassToken implements hosting.ApplicationReader.
func (q *queries) PassToken(ctx context.Context, kind hosting.PassTokenKind, hash string) (*hosting.PassToken, error) {
	t, err := one(ctx, q, func(row scanner) (hosting.PassToken, error) {
		t := hosting.PassToken{Hash: hash, Kind: kind}
		var expires, used int64
		err := row.Scan(&t.Pass, &expires, &used)
		t.ExpiresAt, t.UsedAt = moment(expires), moment(used)
		return t, err
	}, `SELECT pass_id, expires_at, used_at FROM pass_tokens WHERE hash = ? AND kind = ?`, hash, kind)
	return &t, answer("read a pass' token", err)
}

// InsertPassToken implements hosting.ApplicationWriter.
func (q *queries) InsertPassToken(ctx context.Context, t *hosting.PassToken) error {
	return answer("write a pass' token", q.exec(ctx, `INSERT INTO pass_tokens (hash, pass_id, kind, expires_at) VALUES (?, ?, ?, ?)`,
		t.Hash, t.Pass, t.Kind, micros(t.ExpiresAt)))
}

// UsePassToken implements hosting.ApplicationWriter.
func (q *queries) UsePassToken(ctx context.Context, t *hosting.PassToken) error {
	return answer("use a pass' token", q.change(ctx, `UPDATE pass_tokens SET used_at = ? WHERE hash = ?`, micros(t.UsedAt), t.Hash))
}
