package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Site is what a site should have on the server: a database and a user of one
// name.
type Site struct {
	Name     string
	Password string
	// Previous is a second password that is good; "" for none.
	Previous string
	// Mark is the comment of a database that says it is ours, and whose.
	Mark string
	// Connections is how many the user may hold, so that one site can't take them
	// all.
	Connections int
	// Known says that this site's database was made before: its mark may have been
	// changed by the site itself, which may alter its own database.
	Known bool
}

// Ensure makes the database, its user and the user's rights what they should be.
// A site that already is what it should be is only looked at.
func (s *Server) Ensure(ctx context.Context, site Site) error {
	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()
	mark, exists, err := s.mark(ctx, site.Name)
	if err != nil {
		return err
	}
	switch {
	case !exists:
		return s.create(ctx, site)
	case mark != site.Mark && !site.Known:
		return fmt.Errorf("database %s: %w", site.Name, ErrForeign)
	case mark != site.Mark:
		if err := s.exec(ctx, "ALTER DATABASE "+identifier(site.Name)+" COMMENT ?", site.Mark); err != nil {
			return fmt.Errorf("mark database %s: %w", site.Name, err)
		}
	}
	if s.serves(ctx, site) {
		return nil
	}
	return s.setUser(ctx, site)
}

// create makes the user, then the database: the database's mark is the proof of
// ownership, so it must not stand before the user is known to be ours too.
func (s *Server) create(ctx context.Context, site Site) error {
	how, hashes := access(site)
	err := s.exec(ctx, "CREATE USER ?@'%'"+how, append([]any{site.Name}, hashes...)...)
	created := err == nil
	if number(err) == erCannotUser {
		// A user without a database: ours if it has the password that only we made
		// up, then an earlier run ended between the two.
		if !site.Known && !s.logsIn(ctx, site) {
			return fmt.Errorf("user %s: %w", site.Name, ErrForeign)
		}
		err = nil
	}
	if err != nil {
		return fmt.Errorf("create user %s: %w", site.Name, err)
	}
	err = s.exec(ctx, "CREATE DATABASE "+identifier(site.Name)+
		" CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci COMMENT ?", site.Mark)
	if err != nil && number(err) != erDatabaseExists {
		return fmt.Errorf("create database %s: %w", site.Name, err)
	}
	if created {
		return s.grant(ctx, site)
	}
	return s.setUser(ctx, site)
}

// second comes before a user's second password, in statements and in SHOW CREATE USER.
const second = " OR mysql_native_password USING "

// access is what a user's passwords and limit are set with; the placeholders are for
// the passwords' hashes.
func access(site Site) (how string, hashes []any) {
	how, hashes = " IDENTIFIED VIA mysql_native_password USING ?", []any{nativeHash(site.Password)}
	if site.Previous != "" {
		how, hashes = how+second+"?", append(hashes, nativeHash(site.Previous))
	}
	return how + " WITH MAX_USER_CONNECTIONS " + strconv.Itoa(site.Connections), hashes
}

// asWanted tells whether that is what MariaDB says of a user whose first password let
// us in.
func asWanted(user string, site Site) bool {
	others := 0
	if site.Previous != "" {
		others = 1
	}
	return strings.Count(user, " OR ") == others && strings.Count(user, second+"'"+nativeHash(site.Previous)+"'") == others &&
		strings.Contains(user+" ", " MAX_USER_CONNECTIONS "+strconv.Itoa(site.Connections)+" ")
}

// setUser gives the user its password, its limit and its rights on that one
// database. Statements about accounts are single round trips and idempotent.
func (s *Server) setUser(ctx context.Context, site Site) error {
	if err := s.exec(ctx, "CREATE USER IF NOT EXISTS ?@'%'", site.Name); err != nil {
		return fmt.Errorf("create user %s: %w", site.Name, err)
	}
	how, hashes := access(site)
	if err := s.exec(ctx, "ALTER USER ?@'%'"+how+" ACCOUNT UNLOCK", append([]any{site.Name}, hashes...)...); err != nil {
		return fmt.Errorf("set password of user %s: %w", site.Name, err)
	}
	return s.grant(ctx, site)
}

// grant opens the site's database to its user, and no other.
func (s *Server) grant(ctx context.Context, site Site) error {
	if err := s.exec(ctx, "GRANT ALL PRIVILEGES ON "+pattern(site.Name)+".* TO ?@'%'", site.Name); err != nil {
		return fmt.Errorf("grant database %s to its user: %w", site.Name, err)
	}
	return nil
}

// Drop removes the site's user and database. What is not ours stays.
func (s *Server) Drop(ctx context.Context, site Site) error {
	ctx, cancel := context.WithTimeout(ctx, 3*callTimeout)
	defer cancel()
	mark, exists, err := s.mark(ctx, site.Name)
	if err != nil {
		return err
	}
	if exists && mark != site.Mark && !site.Known {
		return nil
	}
	if !exists && !site.Known && !s.logsIn(ctx, site) {
		return nil
	}
	// The database goes last: as long as it stands, its mark says that there is
	// still something to remove.
	if err := s.exec(ctx, "DROP USER IF EXISTS ?@'%'", site.Name); err != nil {
		return fmt.Errorf("drop user %s: %w", site.Name, err)
	}
	if err := s.exec(ctx, "DROP DATABASE IF EXISTS "+identifier(site.Name)); err != nil {
		return fmt.Errorf("drop database %s: %w", site.Name, err)
	}
	return nil
}

// mark returns the comment of a database, and whether there is one.
func (s *Server) mark(ctx context.Context, name string) (mark string, exists bool, err error) {
	row := s.db.QueryRowContext(ctx, "SELECT SCHEMA_COMMENT FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", name)
	switch err := row.Scan(&mark); {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("look for database %s: %w", name, err)
	}
	return mark, true, nil
}

// serves asks as the site itself: its password opens its database, no other does that
// should not, and it may make tables there.
func (s *Server) serves(ctx context.Context, site Site) bool {
	return nil == s.as(ctx, site, site.Name, func(db *sql.DB) error {
		var user string
		if err := db.QueryRowContext(ctx, "SHOW CREATE USER CURRENT_USER").Scan(&user); err != nil {
			return err
		}
		if !asWanted(user, site) {
			return errors.New("another limit, or other passwords")
		}
		rows := 0
		return db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES"+
			" WHERE TABLE_SCHEMA = ? AND PRIVILEGE_TYPE IN ('CREATE', 'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'ALTER', 'DROP', 'INDEX')"+
			" HAVING COUNT(*) >= 8", literalPattern(site.Name)).Scan(&rows)
	})
}

// logsIn tells whether the site's password is its user's. A user that holds all of
// its connections already has proved that by logging in.
func (s *Server) logsIn(ctx context.Context, site Site) bool {
	err := s.as(ctx, site, "", func(db *sql.DB) error { return db.PingContext(ctx) })
	return err == nil || number(err) == erTooManyUserConn
}

// as opens one connection as the site.
func (s *Server) as(ctx context.Context, site Site, database string, do func(*sql.DB) error) error {
	a := s.account
	a.User, a.Password, a.Identity = site.Name, site.Password, nil
	connector, err := a.connector(database)
	if err != nil {
		return fmt.Errorf("set up a connection as %s: %w", site.Name, err)
	}
	db := sql.OpenDB(connector)
	defer db.Close() // nothing was written
	db.SetMaxOpenConns(1)
	return do(db)
}

func (s *Server) exec(ctx context.Context, statement string, args ...any) error {
	_, err := s.db.ExecContext(ctx, statement, args...)
	switch number(err) {
	case erAccessDenied, erDatabaseAccess, erPrivilege:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
