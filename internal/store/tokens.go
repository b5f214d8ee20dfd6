package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"kubepanel.io/kubepanel/internal/hosting"
)

const selectToken = `SELECT id, kind, user_id, name, hash, scopes, sent_to, created_at, expires_at, used_at FROM tokens ` //nolint:gosec // columns

func scanToken(row scanner) (hosting.Token, error) {
	var t hosting.Token
	var user, scopes sql.NullString
	var created, expires, used int64
	if err := row.Scan(&t.ID, &t.Kind, &user, &t.Name, &t.Hash, &scopes, &t.SentTo, &created, &expires, &used); err != nil {
		return t, err
	}
	t.User, t.CreatedAt, t.ExpiresAt, t.UsedAt = hosting.ID(user.String), moment(created), moment(expires), moment(used)
	if !scopes.Valid {
		return t, nil
	}
	t.Scopes = []hosting.Right{}
	return t, json.Unmarshal([]byte(scopes.String), &t.Scopes)
}

// Token implements hosting.SignInReader.
func (q *queries) Token(ctx context.Context, kind hosting.TokenKind, hash string) (*hosting.Token, error) {
	t, err := one(ctx, q, scanToken, selectToken+`WHERE kind = ? AND hash = ?`, kind, hash)
	return &t, answer("read a token", err)
}

// Tokens implements hosting.SignInReader.
func (q *queries) Tokens(ctx context.Context, user hosting.ID, kind hosting.TokenKind) ([]hosting.Token, error) {
	all, err := list(ctx, q, scanToken, selectToken+`WHERE user_id = ? AND kind = ? ORDER BY created_at DESC`, user, kind)
	return all, answer("list tokens", err)
}

// InsertToken implements hosting.SignInWriter.
func (q *queries) InsertToken(ctx context.Context, t *hosting.Token) error {
	var scopes sql.NullString
	if t.Scopes != nil {
		text, err := json.Marshal(t.Scopes)
		if err != nil {
			return err
		}
		scopes = sql.NullString{String: string(text), Valid: true}
	}
	return answer("insert a token", q.exec(ctx,
		`INSERT INTO tokens (id, kind, user_id, name, hash, scopes, sent_to, created_at, expires_at, used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.ID, t.Kind, null(t.User), t.Name, t.Hash, scopes, t.SentTo, micros(t.CreatedAt), micros(t.ExpiresAt), micros(t.UsedAt)))
}

// UpdateToken implements hosting.SignInWriter.
func (q *queries) UpdateToken(ctx context.Context, t *hosting.Token) error {
	return answer("change a token", q.change(ctx, `UPDATE tokens SET expires_at = ?, used_at = ? WHERE id = ?`, micros(t.ExpiresAt), micros(t.UsedAt), t.ID))
}

// DeleteToken implements hosting.SignInWriter.
func (q *queries) DeleteToken(ctx context.Context, user, id hosting.ID) error {
	return answer("delete a token", q.change(ctx, `DELETE FROM tokens WHERE id = ? AND COALESCE(user_id, '') = ?`, id, user))
}

// DeleteTokens implements hosting.SignInWriter.
func (q *queries) DeleteTokens(ctx context.Context, user hosting.ID, kind hosting.TokenKind) error {
	return answer("delete tokens", q.exec(ctx, `DELETE FROM tokens WHERE COALESCE(user_id, '') = ? AND kind = ?`, user, kind))
}
