package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxPrepared bounds how many statements are kept: the few with a list of names in
// them have a text for each length.
const maxPrepared = 200

// prepared keeps statements of SQLite, whose parser would take a third of the time of
// a page of sites. pgx does the same for PostgreSQL by itself.
type prepared struct {
	mu   sync.Mutex
	kept map[string]*sql.Stmt
}

// get returns a statement that is ready, or nil when there is no room for more.
func (p *prepared) get(ctx context.Context, db *sql.DB, text string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.kept[text]; ok {
		return s, nil
	}
	if len(p.kept) >= maxPrepared {
		return nil, nil
	}
	s, err := db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if p.kept == nil {
		p.kept = map[string]*sql.Stmt{}
	}
	p.kept[text] = s
	return s, nil
}

// query runs a statement that answers rows.
func (q *queries) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	text := q.text(statement)
	db, alone := q.on.(*sql.DB)
	if !alone || q.db.kind != inFile {
		return q.on.QueryContext(ctx, text, args...)
	}
	s, err := q.db.prepared.get(ctx, db, text)
	if err != nil {
		return nil, err
	}
	// What reads a file takes less than being able to give it up in the middle, for which
	// the driver and database/sql start goroutines of their own.
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	ctx = context.WithoutCancel(ctx)
	if s == nil {
		return db.QueryContext(ctx, text, args...)
	}
	return s.QueryContext(ctx, args...)
}
