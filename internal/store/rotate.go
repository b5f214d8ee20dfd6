package store

import (
	"context"
	"fmt"

	"kubepanel.io/kubepanel/internal/hosting"
)

// sealedColumn is a column that is encrypted.
type sealedColumn struct {
	table, id, column string
	place             func(id string) string
}

func sealedColumns() []sealedColumn {
	return []sealedColumn{
		{"logins", "user_id", "totp", func(id string) string { return totpPlace(hosting.ID(id)) }},
		{"identity_providers", "id", "secret", clientPlace},
		{"signing_keys", "id", "private", keyPlace},
		{"sessions", "id", "data", sessionPlace},
		{"once", "id", "answer", oncePlace},
		{"once", "id", "asked", askedPlace},
		{"webhooks", "id", "secret", webhookPlace},
	}
}

// sealed is one encrypted value.
type sealed struct {
	id    string
	value []byte
}

func (q *queries) sealed(ctx context.Context, c sealedColumn) ([]sealed, error) {
	return list(ctx, q, func(row scanner) (s sealed, err error) { return s, row.Scan(&s.id, &s.value) },
		`SELECT `+c.id+`, `+c.column+` FROM `+c.table+` WHERE `+c.column+` IS NOT NULL`)
}

// Rotate seals everything anew that is not sealed with the first key, and returns how
// many values that were. Afterwards the other keys can be thrown away. It may be
// interrupted and run again, while panels run that have both keys.
func (d *DB) Rotate(ctx context.Context) (int, error) {
	count := 0
	for _, c := range sealedColumns() {
		all, err := d.sealed(ctx, c)
		if err != nil {
			return count, fmt.Errorf("read what is sealed in %s: %w", c.table, err)
		}
		for _, s := range all {
			if d.ring.newest(s.value) {
				continue
			}
			if err := d.reseal(ctx, c, s.id); err != nil {
				return count, err
			}
			count++
		}
	}
	return count, nil
}

// reseal reads the value once more in its transaction: its owner may just have
// changed it.
func (d *DB) reseal(ctx context.Context, c sealedColumn, id string) error {
	return d.transact(ctx, func(q *queries) error {
		now, err := list(ctx, q, func(row scanner) (v []byte, err error) { return v, row.Scan(&v) },
			`SELECT `+c.column+` FROM `+c.table+` WHERE `+c.id+` = ? AND `+c.column+` IS NOT NULL`, id)
		if err != nil || len(now) == 0 {
			return err
		}
		plain, err := d.ring.open(c.place(id), now[0])
		if err != nil {
			return err
		}
		fresh, err := d.ring.seal(c.place(id), plain)
		if err != nil {
			return err
		}
		return q.exec(ctx, `UPDATE `+c.table+` SET `+c.column+` = ? WHERE `+c.id+` = ?`, fresh, id)
	})
}

// checkSeals says whether everything that is sealed opens with the keys.
func (q *queries) checkSeals(ctx context.Context) error {
	for _, c := range sealedColumns() {
		all, err := q.sealed(ctx, c)
		if err != nil {
			return fmt.Errorf("read what is sealed in %s: %w", c.table, err)
		}
		for _, s := range all {
			if _, err := q.db.ring.open(c.place(s.id), s.value); err != nil {
				return err
			}
		}
	}
	return nil
}
