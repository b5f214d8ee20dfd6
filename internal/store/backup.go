package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kubepanel.io/kubepanel/internal/hosting"
)

// table is one that a backup has, in an order that its references allow.
type table struct{ name, where, order string }

// leftOut are the tables that a backup has not.
var leftOut = []string{
	// A restore must not bring back what was ended.
	"sessions", "tries", "browsers", "mailed_codes",
	// It must not answer or tell again what was.
	"once", "mails", "deliveries", "logouts",
	// Sign-ins to applications, and the keys that signed them: others are made.
	"passes", "pass_tokens", "signing_keys",
	// What sites used is of the moment, and fills by itself.
	"samples", "sample_turn",
	// What is under way ends with its panel.
	"file_jobs",
}

func tables() []table {
	return []table{
		{"packages", "", "id"},
		{"users", "", "CASE WHEN reseller_id IS NULL THEN 0 ELSE 1 END, id"},
		{"sites", "", "name"}, {"site_names", "", "name"}, {"grants", "", "collaborator_id"},
		{"logins", "", "user_id"}, {"passkeys", "", "id"},
		{"identity_providers", "", "id"}, {"identities", "", "provider_id"}, {"applications", "", "id"},
		{"tokens", "WHERE kind = 'api'", "id"}, {"webhooks", "", "id"},
		{"trail", "", "seq"}, {"trail_end", "", "id"}, {"trail_sent", "", "server"}, {"panel_settings", "", "id"},
		{"sweeps", "", "site"}, {"findings", "", "id"},
	}
}

// Backup writes everything that must not be lost into a new file, while panels run,
// as it was at one moment. The file is an SQLite database whatever this one is, so it
// also takes a panel from SQLite to PostgreSQL. What is encrypted stays so: keep the
// keys elsewhere.
func (d *DB) Backup(ctx context.Context, file string) error {
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write a backup: %s is there already; name a new file", file)
	}
	draft := file + ".part"
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what is left of an earlier backup: %w", err)
	}
	if err := d.backup(ctx, draft); err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	if err := settleFile(draft, file); err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	return nil
}

func (d *DB) backup(ctx context.Context, draft string) error {
	// Made here, so that nobody else may read it from the first byte on.
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	to, err := Open(ctx, "sqlite:"+draft, Options{})
	if err != nil {
		return err
	}
	defer to.Close()
	tx, err := d.on.(*sql.DB).BeginTx(ctx, &sql.TxOptions{Isolation: d.snapshot(), ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin a backup: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	return to.transact(ctx, func(q *queries) error { return pour(ctx, &queries{db: d, on: tx}, q) })
}

// snapshot is the isolation in which every statement sees the same moment.
func (d *DB) snapshot() sql.IsolationLevel {
	if d.kind == inFile {
		return sql.LevelDefault // a read transaction of a write-ahead log
	}
	return sql.LevelRepeatableRead
}

// settleFile makes a whole file appear under its name, and survive a power cut.
func settleFile(draft, file string) error {
	for _, step := range []func() error{
		func() error { return flush(draft) },
		func() error { return os.Rename(draft, file) },
		func() error { return flush(filepath.Dir(file)) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// pour copies all tables; to must be empty.
func pour(ctx context.Context, from, to *queries) error {
	if err := to.exec(ctx, `DELETE FROM trail_end`); err != nil {
		return err
	}
	for _, t := range tables() {
		if err := copyTable(ctx, from, to, t); err != nil {
			return fmt.Errorf("copy %s: %w", t.name, err)
		}
	}
	return nil
}

func copyTable(ctx context.Context, from, to *queries, t table) error {
	rows, err := from.on.QueryContext(ctx, from.text(`SELECT * FROM `+t.name+` `+t.where+` ORDER BY `+t.order))
	if err != nil {
		return err
	}
	defer rows.Close() // its error is that of Err
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	insert := `INSERT INTO ` + t.name + ` (` + strings.Join(names, ", ") + `) VALUES (` + marks(len(names)) + `)`
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := to.exec(ctx, insert, values...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Restore fills the empty database at an address with a backup, of this version or
// an earlier one. It changes nothing unless all of it fits: a database that has
// accounts is refused, and so is a backup that the keys don't open or whose audit trail
// is not whole.
func Restore(ctx context.Context, file, address string, o Options) error {
	folder, err := os.MkdirTemp(filepath.Dir(file), ".restore-")
	if err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	defer os.RemoveAll(folder) // a copy
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	work := filepath.Join(folder, "panel.db") // brought up to date, which the backup must not be
	if err := os.WriteFile(work, data, 0o600); err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	from, err := Open(ctx, "sqlite:"+work, Options{Keys: o.Keys})
	if err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	defer from.Close()
	if err := from.checkSeals(ctx); err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	if _, err := hosting.VerifyTrail(ctx, from); err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	to, err := Open(ctx, address, o)
	if err != nil {
		return err
	}
	defer to.Close()
	return to.transact(ctx, func(q *queries) error {
		if err := q.empty(ctx); err != nil {
			return err
		}
		return pour(ctx, &from.queries, q)
	})
}

func (q *queries) empty(ctx context.Context) error {
	for _, t := range []string{"users", "packages", "trail"} {
		n, err := q.number(ctx, `SELECT COUNT(*) FROM `+t)
		if err != nil {
			return err
		}
		if n > 0 {
			return &hosting.Error{Code: hosting.Conflict, Message: "The database is in use: it has " + t + " already.",
				Mend: "Name an empty one; nothing was changed."}
		}
	}
	return q.exec(ctx, `DELETE FROM tokens`) // a link for a first administrator
}
