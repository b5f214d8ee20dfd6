package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"kubepanel.io/kubepanel/internal/hosting"
)

// clientPlace names the encrypted column of a provider.
func clientPlace(id string) string { return "identity_providers.secret of " + id }

const selectIdentityProvider = `SELECT id, name, issuer, client_id, secret, domains, role, package_id, asks_factor FROM identity_providers `

func (q *queries) scanIdentityProvider(row scanner) (hosting.IdentityProvider, error) {
	var p hosting.IdentityProvider
	var sealed []byte
	var domains string
	var pack sql.NullString
	var asks int64
	if err := row.Scan(&p.ID, &p.Name, &p.Issuer, &p.ClientID, &sealed, &domains, &p.Role, &pack, &asks); err != nil {
		return p, err
	}
	p.Package, p.AsksFactor = hosting.ID(pack.String), asks != 0
	var err error
	if p.Secret, err = q.db.ring.open(clientPlace(string(p.ID)), sealed); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(domains), &p.Domains)
}

// IdentityProviders implements hosting.IdentityReader.
func (q *queries) IdentityProviders(ctx context.Context) ([]hosting.IdentityProvider, error) {
	all, err := list(ctx, q, q.scanIdentityProvider, selectIdentityProvider+`ORDER BY name, id`)
	return all, answer("list identity providers", err)
}

// IdentityProvider implements hosting.IdentityReader.
func (q *queries) IdentityProvider(ctx context.Context, id hosting.ID) (*hosting.IdentityProvider, error) {
	p, err := one(ctx, q, q.scanIdentityProvider, selectIdentityProvider+`WHERE id = ?`, id)
	return &p, answer("read an identity provider", err)
}

// PutIdentityProvider implements hosting.IdentityWriter.
func (q *queries) PutIdentityProvider(ctx context.Context, p *hosting.IdentityProvider) error {
	sealed, err := q.db.ring.seal(clientPlace(string(p.ID)), p.Secret)
	if err != nil {
		return err
	}
	domains, err := json.Marshal(append([]string{}, p.Domains...))
	if err != nil {
		return err
	}
	return answer("write an identity provider", q.exec(ctx, `INSERT INTO identity_providers (id, name, issuer, client_id, secret, domains, role, package_id, asks_factor)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, issuer = excluded.issuer, client_id = excluded.client_id,
		secret = excluded.secret, domains = excluded.domains, role = excluded.role, package_id = excluded.package_id, asks_factor = excluded.asks_factor`,
		p.ID, p.Name, p.Issuer, p.ClientID, sealed, string(domains), p.Role, null(p.Package), truth(p.AsksFactor)))
}

// DeleteIdentityProvider implements hosting.IdentityWriter.
func (q *queries) DeleteIdentityProvider(ctx context.Context, id hosting.ID) error {
	return answer("delete an identity provider", q.change(ctx, `DELETE FROM identity_providers WHERE id = ?`, id))
}

// Identity implements hosting.IdentityReader.
func (q *queries) Identity(ctx context.Context, provider hosting.ID, subject string) (*hosting.Identity, error) {
	i, err := one(ctx, q, func(row scanner) (hosting.Identity, error) {
		i := hosting.Identity{Provider: provider, Subject: subject}
		var created int64
		err := row.Scan(&i.User, &created)
		i.CreatedAt = moment(created)
		return i, err
	}, `SELECT user_id, created_at FROM identities WHERE provider_id = ? AND subject = ?`, provider, subject)
	return &i, answer("read an identity", err)
}

// InsertIdentity implements hosting.IdentityWriter.
func (q *queries) InsertIdentity(ctx context.Context, i *hosting.Identity) error {
	return answer("write an identity", q.exec(ctx, `INSERT INTO identities (provider_id, subject, user_id, created_at) VALUES (?, ?, ?, ?)`,
		i.Provider, i.Subject, i.User, micros(i.CreatedAt)))
}
