package store

import (
	"context"
	"encoding/json"

	"kubepanel.io/kubepanel/internal/hosting"
)

// keyPlace names the encrypted column of a signing key.
func keyPlace(id string) string { return "signing_keys.private of " + id }

const selectApplication = `SELECT id, name, redirects, farewells, logout, inside, roles, public, secret_hash, created_at FROM applications `

func scanApplication(row scanner) (hosting.Application, error) {
	var a hosting.Application
	var redirects, farewells, roles string
	var created int64
	if err := row.Scan(&a.ID, &a.Name, &redirects, &farewells, &a.Logout, &a.Inside, &roles, &a.Public, &a.SecretHash, &created); err != nil {
		return a, err
	}
	a.CreatedAt = moment(created)
	if err := json.Unmarshal([]byte(redirects), &a.Redirects); err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(farewells), &a.Farewells); err != nil {
		return a, err
	}
	return a, json.Unmarshal([]byte(roles), &a.Roles)
}

// Application implements hosting.ApplicationReader.
func (q *queries) Application(ctx context.Context, id hosting.ID) (*hosting.Application, error) {
	a, err := one(ctx, q, scanApplication, selectApplication+`WHERE id = ?`, id)
	return &a, answer("read an application", err)
}

// Applications implements hosting.ApplicationReader.
func (q *queries) Applications(ctx context.Context) ([]hosting.Application, error) {
	all, err := list(ctx, q, scanApplication, selectApplication+`ORDER BY name, id`)
	return all, answer("list applications", err)
}

// PutApplication implements hosting.ApplicationWriter.
func (q *queries) PutApplication(ctx context.Context, a *hosting.Application) error {
	texts := make([]string, 3)
	for i, v := range []any{append([]string{}, a.Redirects...), append([]string{}, a.Farewells...), append([]hosting.Role{}, a.Roles...)} {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		texts[i] = string(text)
	}
	return answer("write an application", q.exec(ctx, `INSERT INTO applications (id, name, redirects, farewells, logout, inside, roles, public, secret_hash, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, redirects = excluded.redirects, farewells = excluded.farewells,
		logout = excluded.logout, inside = excluded.inside, roles = excluded.roles, secret_hash = excluded.secret_hash`,
		a.ID, a.Name, texts[0], texts[1], a.Logout, truth(a.Inside), texts[2], truth(a.Public), a.SecretHash, micros(a.CreatedAt)))
}

// DeleteApplication implements hosting.ApplicationWriter.
func (q *queries) DeleteApplication(ctx context.Context, id hosting.ID) error {
	return answer("delete an application", q.change(ctx, `DELETE FROM applications WHERE id = ?`, id))
}

// SigningKeys implements hosting.ApplicationReader.
func (q *queries) SigningKeys(ctx context.Context) ([]hosting.SigningKey, error) {
	all, err := list(ctx, q, func(row scanner) (hosting.SigningKey, error) {
		var k hosting.SigningKey
		var sealed []byte
		var begins, ends int64
		if err := row.Scan(&k.ID, &sealed, &begins, &ends); err != nil {
			return k, err
		}
		k.BeginsAt, k.EndsAt = moment(begins), moment(ends)
		var err error
		k.Private, err = q.db.ring.open(keyPlace(k.ID), sealed)
		return k, err
	}, `SELECT id, private, begins_at, ends_at FROM signing_keys ORDER BY begins_at, id`)
	return all, answer("read signing keys", err)
}

// InsertSigningKey implements hosting.ApplicationWriter.
func (q *queries) InsertSigningKey(ctx context.Context, k *hosting.SigningKey) error {
	sealed, err := q.db.ring.seal(keyPlace(k.ID), k.Private)
	if err != nil {
		return err
	}
	return answer("write a signing key", q.exec(ctx, `INSERT INTO signing_keys (id, private, begins_at, ends_at) VALUES (?, ?, ?, ?)`,
		k.ID, sealed, micros(k.BeginsAt), micros(k.EndsAt)))
}

// DeleteSigningKey implements hosting.ApplicationWriter.
func (q *queries) DeleteSigningKey(ctx context.Context, id string) error {
	return answer("remove a signing key", q.exec(ctx, `DELETE FROM signing_keys WHERE id = ?`, id))
}
