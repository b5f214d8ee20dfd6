package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"kubepanel.io/kubepanel/internal/hosting"
)

// dialect says what a database understands.
type dialect int

const (
	inFile dialect = iota
	onServer
)

// place writes the placeholders as the database wants them: ours are ?, which stand
// nowhere else in our statements.
func (d dialect) place(statement string) string {
	if d == inFile {
		return statement
	}
	var b strings.Builder
	n := 0
	for {
		before, after, found := strings.Cut(statement, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		statement = after
	}
}

// unindexed is a column for which SQLite takes no index (sqlite.org/optoverview.html, the
// unary plus). PostgreSQL knows how much of a table has a value, and chooses by that.
func (d dialect) unindexed(column string) string {
	if d == inFile {
		return "+" + column
	}
	return column
}

// PostgreSQL's error codes (PostgreSQL documentation, appendix A).
const (
	serializationFailure = "40001" // CockroachDB's too
	deadlockDetected     = "40P01"
	foreignKeyViolation  = "23503"
	uniqueViolation      = "23505"
	noSuchCharacter      = "22021" // a NUL, or what is no UTF-8
)

// again tells whether a transaction failed only because others ran meanwhile.
func again(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == serializationFailure || e.Code == deadlockDetected
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		primary := e.Code() & 0xff // the upper bits say why (sqlite.org/rescode.html)
		return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
	}
	return false
}

// answer turns the errors that rules decide by into hosting's.
func answer(doing string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", doing, err)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return &hosting.Error{Code: hosting.NotFound, Message: "There is no such thing.", Err: wrapped}
	case conflict(err):
		return &hosting.Error{Code: hosting.Conflict, Message: "Something else has it already, or needs it.", Err: wrapped}
	case noText(err):
		return &hosting.Error{Code: hosting.Invalid, Message: "That has characters that nobody can see; write it anew.", Err: wrapped}
	}
	return wrapped
}

// noText tells that a text has what PostgreSQL takes in none, not even to look for it.
func noText(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == noSuchCharacter
}

func conflict(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == uniqueViolation || e.Code == foreignKeyViolation
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return true
		}
	}
	return false
}
