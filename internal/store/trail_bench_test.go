package store

import (
	"context"

	"path/filepath"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store/postgrestest"
)

// BenchmarkTrail is what the database does for one page of a trail of 200,000 entries,
// 10 s apart, by what narrows it, and for entries more: as it was, and as it is since.
func BenchmarkTrail(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) { benchmarkTrail(b, "sqlite:"+filepath.Join(b.TempDir(), "panel.db")) })
	b.Run("PostgreSQL", func(b *testing.B) {
		server, err := postgrestest.Start()
		if err != nil {
			b.Fatal(err)
		}
		defer server.Stop()
		address, err := server.Database(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		benchmarkTrail(b, address)
	})
}

// The trail that is measured: its entries, and the time between two.
const (
	longTrail   = 200_000
	apart       = 10 * time.Second
	pageOfTrail = 50
	// plainTrail is the last version whose indexes knew nothing of actions and times.
	plainTrail = 20
)

func benchmarkTrail(b *testing.B, address string) {
	ctx := b.Context()
	db, err := connect(address, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	if err := db.migrate(ctx, plainTrail); err != nil {
		b.Fatal(err)
	}
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	numbers := `generate_series(CAST(1 AS BIGINT), CAST(? AS BIGINT)) AS n(i)`
	if db.kind == inFile {
		numbers = `(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ?) SELECT i FROM c) AS n`
	}
	text := `CAST(n.i * 7919 % 100 AS TEXT)`
	write := &queries{db: db, on: db.write}
	if err := write.exec(ctx, `UPDATE trail_end SET seq = ?`, longTrail); err != nil {
		b.Fatal(err)
	}
	if err := write.exec(ctx, `INSERT INTO trail (seq, at, actor, actor_name, behind, behind_name, address, did, object, owner, reseller, before, after, hash)
		SELECT n.i, CAST(? AS BIGINT) + n.i * CAST(? AS BIGINT), CASE WHEN n.i % 3 = 0 THEN 'boss' ELSE 'user-' || `+text+` END, 'Jo', '', '', '192.0.2.7',
		CASE WHEN n.i % 10000 = 0 THEN 'site.delete' WHEN n.i % 5 < 2 THEN 'sign-in.done' WHEN n.i % 5 < 4 THEN 'site.change' ELSE 'file.change' END,
		'site-' || CAST(n.i * 104729 % 1000 AS TEXT) || '.example', 'user-' || `+text+`, '', '{"spec":{"title":"Shop"}}', '{"spec":{"title":"New"}}',
		'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d' FROM `+numbers, micros(began), apart.Microseconds(), longTrail); err != nil {
		b.Fatal(err)
	}
	if db.kind == onServer {
		if err := write.exec(ctx, `VACUUM ANALYZE trail`); err != nil {
			b.Fatal(err)
		}
	}
	at := func(part float64) time.Time { return began.Add(time.Duration(part*longTrail) * apart) }
	old, day := at(0.2), at(0.2).Add(24*time.Hour)
	queries := map[string]hosting.AuditQuery{
		"all":                         {},
		"rare action":                 {Did: "site.delete"},
		"common action":               {Did: "sign-in.done"},
		"no such action":              {Did: "none"},
		"old day":                     {From: old, To: day},
		"old day, rare action":        {From: old, To: day, Did: "site.delete"},
		"old day, common action":      {From: old, To: day, Did: "sign-in.done"},
		"all times, rare action":      {From: began, Did: "site.delete"},
		"all times, common action":    {From: began, Did: "sign-in.done"},
		"old day, one account":        {From: old, To: day, Actor: "boss"},
		"all times, one account":      {From: began, Actor: "boss"},
		"a customer's":                {Owner: "user-7"},
		"a customer's, old day":       {From: old, To: day, Owner: "user-7"},
		"a customer's, rare action":   {Did: "site.delete", Owner: "user-7"},
		"a customer's, common action": {Did: "sign-in.done", Owner: "user-7"},
		"future":                      {From: at(2)},
		"before":                      {To: began},
	}
	for name, q := range queries {
		q.Limit = pageOfTrail
		queries[name] = q
	}
	for name, q := range queries {
		b.Run("before/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := plainly(ctx, db, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	appending(b, "before", db)
	b.Run("migration", func(b *testing.B) {
		if err := db.migrate(ctx, latest); err != nil { // nothing is left of it for a second time
			b.Fatal(err)
		}
	})
	for name, q := range queries {
		b.Run("after/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := db.Trail(ctx, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	appending(b, "after", db)
}

// plainly is the statement that was asked before the indexes knew the times.
func plainly(ctx context.Context, db *DB, query hosting.AuditQuery) ([]hosting.Entry, error) {
	w := where{}
	for _, c := range []struct{ column, value string }{{"did", query.Did}, {"object", query.Object}, {"actor", string(query.Actor)}} {
		if c.value != "" {
			w.and(c.column+` = ?`, c.value)
		}
	}
	if query.Owner != "" {
		w.and(`(owner = ? OR actor = ?)`, query.Owner, query.Owner)
	}
	if !query.From.IsZero() {
		w.and(`at >= ?`, micros(query.From))
	}
	if !query.To.IsZero() {
		w.and(`at < ?`, micros(query.To))
	}
	return list(ctx, &db.queries, scanEntry, selectEntry+w.String()+` ORDER BY seq DESC LIMIT ?`, append(w.args, pageOfTrail+1)...)
}

// appending is what an entry more costs, a hundred in a transaction.
func appending(b *testing.B, name string, db *DB) {
	b.Helper()
	b.Run(name+"/append 100", func(b *testing.B) {
		for b.Loop() {
			err := db.Write(b.Context(), func(tx hosting.Tx) error {
				for range 100 {
					e := &hosting.Entry{At: time.Now(), Actor: "boss", ActorName: "Jo", Did: "site.change", Object: "site-1.example", Owner: "user-7"}
					if err := tx.Append(b.Context(), e); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
