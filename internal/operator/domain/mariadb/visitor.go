package mariadb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
)

// visitorPrefix begins the name of every visitor's account, and of no other's.
const visitorPrefix = "visitor-"

// Visitor is an account that one person has for a short time on one database.
type Visitor struct {
	// Name comes from VisitorName.
	Name string
	// Hash is what mysql_native_password stores of the password.
	Hash     string
	Database string
	ReadOnly bool
}

// VisitorName is the account's name for an ID that nothing else ever has, such as an
// object's UID.
func VisitorName(id string) string { return visitorPrefix + id }

// What visitors may do. What would stay behind in the name of an account that is gone
// is left out: a view, trigger, routine or event whose definer is not there any more
// fails whenever the site uses it.
const (
	visitorReads = "SELECT, SHOW VIEW"
	visitorAll   = visitorReads + ", INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE"
	// visitorLimits bound what one person's pages ask at once, and a statement's time in
	// seconds: phpMyAdmin's own patience.
	visitorLimits = " WITH MAX_USER_CONNECTIONS 10 MAX_STATEMENT_TIME 300"
)

// Visitors returns the names of all visitors' accounts.
func (s *Server) Visitors(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, err := s.db.QueryContext(ctx, "SELECT User FROM mysql.user WHERE User LIKE ? AND Host = '%'", visitorPrefix+"%")
	if err != nil {
		return nil, fmt.Errorf("list the accounts of visitors: %w", err)
	}
	defer rows.Close() // rows.Err tells what went wrong
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read the name of a visitor's account: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// Admit makes a visitor's account and opens one database to it. Again after an end at
// any point, it goes on.
func (s *Server) Admit(ctx context.Context, v Visitor) error {
	if err := ofVisitor(v.Name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()
	if err := s.exec(ctx, "CREATE OR REPLACE USER ?@'%' IDENTIFIED VIA mysql_native_password USING ?"+visitorLimits, v.Name, v.Hash); err != nil {
		return fmt.Errorf("create visitor %s: %w", v.Name, err)
	}
	rights := visitorAll
	if v.ReadOnly {
		rights = visitorReads
	}
	if err := s.exec(ctx, "GRANT "+rights+" ON "+pattern(v.Database)+".* TO ?@'%'", v.Name); err != nil {
		return fmt.Errorf("grant database %s to visitor %s: %w", v.Database, v.Name, err)
	}
	return nil
}

// Dismiss ends a visitor's statements and removes the account.
func (s *Server) Dismiss(ctx context.Context, name string) error {
	if err := ofVisitor(name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()
	// From here on nobody signs in but we do, for a moment: an account may end its own
	// connections, and the operator's account may not end those of others.
	us := Site{Name: name, Password: rand.Text()}
	if err := s.exec(ctx, "ALTER USER IF EXISTS ?@'%' IDENTIFIED VIA mysql_native_password USING ? WITH MAX_USER_CONNECTIONS 0", name, nativeHash(us.Password)); err != nil {
		return fmt.Errorf("close visitor %s: %w", name, err)
	}
	// What it could not end does so by itself, after visitorLimits.
	_ = s.as(ctx, us, "", func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, "KILL USER ?", name)
		return err
	})
	if err := s.exec(ctx, "DROP USER IF EXISTS ?@'%'", name); err != nil {
		return fmt.Errorf("drop visitor %s: %w", name, err)
	}
	return nil
}

// ofVisitor keeps these statements from every other account.
func ofVisitor(name string) error {
	if !strings.HasPrefix(name, visitorPrefix) {
		return fmt.Errorf("%s is no visitor's account: %w", name, ErrForeign)
	}
	return nil
}
