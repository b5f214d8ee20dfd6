package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// latest asks for the newest version of the tables.
const latest = 0

// migrate brings the tables up to a version. Versions only go forward: a newer
// database than the program is refused, so that an older program can't write what
// it doesn't know.
func (d *DB) migrate(ctx context.Context, version int64) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	flavour := map[dialect]goose.Dialect{inFile: goose.DialectSQLite3, onServer: goose.DialectPostgres}[d.kind]
	options, err := d.alone()
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(flavour, d.write, files, options...)
	if err != nil {
		return fmt.Errorf("read the database's migrations: %w", err)
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	if version == latest {
		version = newest
	}
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the database's version: %w", err)
	}
	if has > newest {
		return fmt.Errorf("the database is of version %d and this program knows up to %d; start the newer program, or restore a backup made before", has, newest)
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return fmt.Errorf("bring the database from version %d to %d: %w", has, version, err)
	}
	return nil
}

// lockWait is how often, in seconds, a panel asks whether another one is done with the
// tables, and lockTries how many times.
const (
	lockWait  = 1
	lockTries = 120
)

// alone lets one panel at a time bring the tables up to date, when several start at
// once. CockroachDB has no such lock.
func (d *DB) alone() ([]goose.ProviderOption, error) {
	if d.kind != onServer || d.cockroach {
		return nil, nil
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockWait, lockTries))
	if err != nil {
		return nil, fmt.Errorf("prepare to bring the tables up to date: %w", err)
	}
	return []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
}
