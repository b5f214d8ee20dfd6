package store

import (
	"context"

	"kubepanel.io/kubepanel/internal/hosting"
)

const selectBrowser = `SELECT id, user_id, address, agent, created_at, used_at, expires_at FROM browsers `

func scanBrowser(row scanner) (hosting.Browser, error) {
	var b hosting.Browser
	var created, used, expires int64
	err := row.Scan(&b.ID, &b.User, &b.Address, &b.Agent, &created, &used, &expires)
	b.CreatedAt, b.UsedAt, b.ExpiresAt = moment(created), moment(used), moment(expires)
	return b, err
}

// Browser implements hosting.SignInReader.
func (q *queries) Browser(ctx context.Context, id string) (*hosting.Browser, error) {
	b, err := one(ctx, q, scanBrowser, selectBrowser+`WHERE id = ?`, id)
	return &b, answer("read a browser", err)
}

// Browsers implements hosting.SignInReader.
func (q *queries) Browsers(ctx context.Context, user hosting.ID) ([]hosting.Browser, error) {
	all, err := list(ctx, q, scanBrowser, selectBrowser+`WHERE user_id = ? ORDER BY used_at DESC, id`, user)
	return all, answer("list browsers", err)
}

// InsertBrowser implements hosting.SignInWriter.
func (q *queries) InsertBrowser(ctx context.Context, b *hosting.Browser) error {
	return answer("remember a browser", q.exec(ctx, `INSERT INTO browsers (id, user_id, address, agent, created_at, used_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		b.ID, b.User, b.Address, b.Agent, micros(b.CreatedAt), micros(b.UsedAt), micros(b.ExpiresAt)))
}

// UpdateBrowser implements hosting.SignInWriter. A browser never changes hands.
func (q *queries) UpdateBrowser(ctx context.Context, b *hosting.Browser) error {
	return answer("remember a browser longer", q.change(ctx, `UPDATE browsers SET address = ?, agent = ?, used_at = ?, expires_at = ? WHERE id = ?`,
		b.Address, b.Agent, micros(b.UsedAt), micros(b.ExpiresAt), b.ID))
}

// DeleteBrowser implements hosting.SignInWriter.
func (q *queries) DeleteBrowser(ctx context.Context, user hosting.ID, id string) error {
	return answer("forget a browser", q.change(ctx, `DELETE FROM browsers WHERE id = ? AND user_id = ?`, id, user))
}

// DeleteBrowsers implements hosting.SignInWriter.
func (q *queries) DeleteBrowsers(ctx context.Context, user hosting.ID, keep string) error {
	return answer("forget browsers", q.exec(ctx, `DELETE FROM browsers WHERE user_id = ? AND id <> ?`, user, keep))
}

func scanMailedCode(row scanner) (hosting.MailedCode, error) {
	var c hosting.MailedCode
	var sent, expires int64
	err := row.Scan(&c.ID, &c.User, &c.Hash, &c.Wrong, &sent, &expires)
	c.SentAt, c.ExpiresAt = moment(sent), moment(expires)
	return c, err
}

// MailedCode implements hosting.SignInReader.
func (q *queries) MailedCode(ctx context.Context, id string) (*hosting.MailedCode, error) {
	c, err := one(ctx, q, scanMailedCode, `SELECT id, user_id, hash, wrong, sent_at, expires_at FROM mailed_codes WHERE id = ?`, id)
	return &c, answer("read a mailed code", err)
}

// InsertMailedCode implements hosting.SignInWriter.
func (q *queries) InsertMailedCode(ctx context.Context, c *hosting.MailedCode) error {
	return answer("keep a mailed code", q.exec(ctx, `INSERT INTO mailed_codes (id, user_id, hash, wrong, sent_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
		c.ID, c.User, c.Hash, c.Wrong, micros(c.SentAt), micros(c.ExpiresAt)))
}

// UpdateMailedCode implements hosting.SignInWriter.
func (q *queries) UpdateMailedCode(ctx context.Context, c *hosting.MailedCode) error {
	return answer("change a mailed code", q.change(ctx, `UPDATE mailed_codes SET hash = ?, wrong = ?, sent_at = ?, expires_at = ? WHERE id = ?`,
		c.Hash, c.Wrong, micros(c.SentAt), micros(c.ExpiresAt), c.ID))
}

// DeleteMailedCode implements hosting.SignInWriter.
func (q *queries) DeleteMailedCode(ctx context.Context, id string) error {
	return answer("forget a mailed code", q.exec(ctx, `DELETE FROM mailed_codes WHERE id = ?`, id))
}
