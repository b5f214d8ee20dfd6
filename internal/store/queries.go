package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// runner is a database or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// queries are all statements, on the database or in a transaction.
type queries struct {
	db *DB
	on runner
}

// writeTries bounds how often a transaction is run anew; waits between them grow
// from firstPause to lastPause.
const (
	writeTries = 30
	firstPause = 2 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// Write implements hosting.Store.
func (d *DB) Write(ctx context.Context, do func(tx hosting.Tx) error) error {
	return d.transact(ctx, func(q *queries) error { return do(q) })
}

func (d *DB) transact(ctx context.Context, do func(q *queries) error) error {
	var err error
	for try := range writeTries {
		if err = d.once(ctx, do); err == nil || !again(err) {
			return err
		}
		pause := min(firstPause<<try, lastPause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
	return fmt.Errorf("others wrote in all of %d tries: %w", writeTries, err)
}

func (d *DB) once(ctx context.Context, do func(q *queries) error) error {
	tx, err := d.write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	if err = d.queue(ctx, tx); err == nil {
		err = do(&queries{db: d, on: tx})
	}
	if err != nil {
		_ = tx.Rollback() // what matters is why
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// queue lets writers of PostgreSQL wait for each other, as those of SQLite do: almost
// all of them move the trail's end, and would else run anew most of the time. The
// lock comes before the transaction's first look, so that it sees what the one before
// it wrote (PostgreSQL documentation, 13.3.1). CockroachDB has no such lock, and runs
// them anew.
func (d *DB) queue(ctx context.Context, tx *sql.Tx) error {
	if d.kind != onServer || d.cockroach {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `LOCK TABLE trail_end IN EXCLUSIVE MODE`); err != nil {
		return fmt.Errorf("wait for other writers: %w", err)
	}
	return nil
}

// scanner is a row.
type scanner interface{ Scan(into ...any) error }

// list reads every row.
func list[T any](ctx context.Context, q *queries, scan func(scanner) (T, error), statement string, args ...any) ([]T, error) {
	rows, err := q.query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // its error is that of Err
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// one reads the only row, or returns sql.ErrNoRows.
func one[T any](ctx context.Context, q *queries, scan func(scanner) (T, error), statement string, args ...any) (T, error) {
	all, err := list(ctx, q, scan, statement, args...)
	if err == nil && len(all) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

// number reads one number.
func (q *queries) number(ctx context.Context, statement string, args ...any) (int64, error) {
	return one(ctx, q, func(s scanner) (n int64, err error) { return n, s.Scan(&n) }, statement, args...)
}

// exec runs a statement.
func (q *queries) exec(ctx context.Context, statement string, args ...any) error {
	_, err := q.on.ExecContext(ctx, q.text(statement), args...)
	return err
}

// change runs a statement that must find its row.
func (q *queries) change(ctx context.Context, statement string, args ...any) error {
	done, err := q.on.ExecContext(ctx, q.text(statement), args...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return sql.ErrNoRows
	}
	return nil
}

// text makes a statement ready to be sent.
func (q *queries) text(statement string) string {
	if q.db.seen != nil {
		q.db.seen(statement)
	}
	return q.db.kind.place(statement)
}

// micros is a time as it is stored; 0 is none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment reads it back.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// truth is a bool as it is stored.
func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// null is an ID as it is stored in a column that refers to another table.
func null(id hosting.ID) sql.NullString { return sql.NullString{String: string(id), Valid: id != ""} }
