package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// busyTimeout is how long a statement waits for SQLite's one writer, another
	// process's backup included.
	busyTimeout = 10 * time.Second
	// pageCache is how much of its file each connection of SQLite's keeps, in KiB. The kernel
	// keeps the file too, for all of them; SQLite's own 2,000 took 3 MB more of a panel with
	// 1,000 sites, and saved it no time.
	pageCache = 512
	// maxServerConns leaves room for several panels beside PostgreSQL's 100.
	maxServerConns = 20
)

// Options are what a database needs beside its address.
type Options struct {
	// Keys encrypt columns that must stay secret, 32 bytes each: the first one
	// encrypts, all of them decrypt.
	Keys [][]byte
	// Observe, when set, is told every statement before it is sent.
	Observe func(statement string)
}

// DB is an open database.
type DB struct {
	queries
	// write has one connection in SQLite, which knows one writer.
	write     *sql.DB
	kind      dialect
	cockroach bool // speaks PostgreSQL's language, with locks of its own
	ring      ring
	seen      func(string)
	prepared  prepared
}

var (
	_ hosting.Store = (*DB)(nil)
	_ hosting.Tx    = (*queries)(nil)
)

// Open opens the database at an address and brings its tables up to date:
// sqlite:/var/lib/kubepanel/panel.db, or postgres://user:password@host/name for
// PostgreSQL and CockroachDB.
func Open(ctx context.Context, address string, o Options) (*DB, error) {
	db, err := connect(address, o)
	if err != nil {
		return nil, err
	}
	if err := db.recognise(ctx); err != nil {
		db.Close()
		return nil, err
	}
	if err := db.migrate(ctx, latest); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// connect opens a database without looking at its tables.
func connect(address string, o Options) (*DB, error) {
	keys, err := newRing(o.Keys)
	if err != nil {
		return nil, err
	}
	db := &DB{ring: keys, seen: o.Observe}
	scheme, rest, _ := strings.Cut(address, ":")
	var read *sql.DB
	switch scheme {
	case "sqlite":
		db.kind = inFile
		read, db.write, err = openFile(rest)
	case "postgres", "postgresql":
		db.kind = onServer
		read, err = openServer(address)
		db.write = read
	default:
		return nil, fmt.Errorf("the database's address starts with %q; write sqlite:/path/panel.db or postgres://user@host/name", scheme)
	}
	if err != nil {
		return nil, err
	}
	db.queries = queries{db: db, on: read}
	return db, nil
}

// recognise finds out which of the servers that speak PostgreSQL's language it is.
func (d *DB) recognise(ctx context.Context) error {
	if d.kind != onServer {
		return nil
	}
	version, err := one(ctx, &d.queries, func(row scanner) (v string, err error) { return v, row.Scan(&v) }, `SELECT version()`)
	if err != nil {
		return fmt.Errorf("ask the database which it is: %w", err)
	}
	d.cockroach = strings.HasPrefix(version, "CockroachDB")
	return nil
}

// openFile opens SQLite twice: many readers, who see the last commit without waiting
// (write-ahead log), and one writer, whose transactions take the lock at their start
// and not in their middle.
func openFile(path string) (read, write *sql.DB, err error) {
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", fmt.Sprintf("cache_size(-%d)", pageCache),
	}}
	file := "file:" + (&url.URL{Path: path}).EscapedPath()
	write, err = sql.Open("sqlite", file+"?_txlock=immediate&"+q.Encode())
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	q.Add("_pragma", "query_only(1)")
	read, err = sql.Open("sqlite", file+"?"+q.Encode())
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	conns := max(4, 2*runtime.GOMAXPROCS(0))
	read.SetMaxOpenConns(conns)
	read.SetMaxIdleConns(conns)
	return read, write, nil
}

func openServer(address string) (*sql.DB, error) {
	address, err := encrypted(address)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		return nil, fmt.Errorf("read the database's address: %w", err)
	}
	db.SetMaxOpenConns(maxServerConns)
	db.SetMaxIdleConns(maxServerConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// Pools are its connections by what they are for, to be counted.
func (d *DB) Pools() map[string]*sql.DB {
	if d.kind == onServer {
		return map[string]*sql.DB{"all": d.write}
	}
	return map[string]*sql.DB{"read": d.on.(*sql.DB), "write": d.write}
}

// Close closes the database.
func (d *DB) Close() {
	_ = d.on.(*sql.DB).Close() // nothing is unwritten: commits were waited for
	_ = d.write.Close()
}
