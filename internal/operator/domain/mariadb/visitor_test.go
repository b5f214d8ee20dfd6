package mariadb_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/operator/domain/mariadb"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb/mariadbtest"
)

func TestVisitors(t *testing.T) {
	s := mariadbtest.Start(t)
	server := open(t, s)
	run := func(name string, test func(*testing.T, *mariadbtest.Server, *mariadb.Server)) {
		t.Run(name, func(t *testing.T) { test(t, s, server) })
	}
	run("a visitor works on one database and no other", visitorUsesOne)
	run("an underscore opens no neighbour", visitorUnderscore)
	run("a reader changes nothing", visitorReads)
	run("nothing stays behind in a visitor's name", visitorLeavesNothing)
	run("dismissing ends what runs", visitorDismissed)
	run("all visitors are listed and nobody else", visitorsListed)
	run("an account that is no visitor's is left alone", visitorOnly)
}

// admit makes a visitor and returns its account and password.
func admit(t *testing.T, s *mariadbtest.Server, server *mariadb.Server, v mariadb.Visitor) (mariadb.Visitor, string) {
	t.Helper()
	password := rand.Text()
	v.Name = mariadb.VisitorName(rand.Text())
	root := s.Root()
	defer root.Close() // nothing to lose
	// The server's own word for the hash, so that ours is not compared with itself.
	if err := root.QueryRowContext(t.Context(), "SELECT PASSWORD(?)", password).Scan(&v.Hash); err != nil {
		t.Fatal(err)
	}
	for range 2 { // an ended run is continued
		if err := server.Admit(t.Context(), v); err != nil {
			t.Fatalf("Admit(%s) = %v", v.Name, err)
		}
	}
	return v, password
}

func visitorUsesOne(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a, b := site("dom-visit-a"), site("dom-visit-b")
	ensure(t, server, a, b)
	if _, err := s.As(b.Name, b.Password, b.Name).ExecContext(t.Context(), "CREATE TABLE secret (i INT)"); err != nil {
		t.Fatal(err)
	}
	v, password := admit(t, s, server, mariadb.Visitor{Database: a.Name})
	db := s.As(v.Name, password, a.Name)
	for _, query := range []string{
		"CREATE TABLE post (id INT PRIMARY KEY, text TEXT)", "INSERT INTO post VALUES (1, 'x')", "UPDATE post SET text = 'y'",
		"ALTER TABLE post ADD INDEX (text(10))", "SELECT * FROM post", "DELETE FROM post", "TRUNCATE post", "RENAME TABLE post TO page", "DROP TABLE page",
	} {
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	for _, query := range []string{
		"SELECT * FROM `dom-visit-b`.secret", "CREATE DATABASE `dom-visit-c`", "SELECT * FROM mysql.user", "CREATE USER x",
		"GRANT ALL ON `dom-visit-a`.* TO `dom-visit-b`@`%`", "SELECT LOAD_FILE('/etc/passwd') FROM mysql.db", "SELECT 1 INTO OUTFILE '/tmp/x'",
	} {
		if _, err := db.ExecContext(t.Context(), query); err == nil {
			t.Errorf("a visitor of %s may run %s", a.Name, query)
		}
	}
	var names int
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'dom-%'").Scan(&names); err != nil || names != 1 {
		t.Errorf("a visitor sees %d databases of sites (%v), want 1", names, err)
	}
}

func visitorUnderscore(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	ensure(t, server, site("dom-p_q"), site("dom-pxq"))
	for _, name := range []string{"dom-p_q", "dom-%"} {
		v, password := admit(t, s, server, mariadb.Visitor{Database: name})
		if _, err := s.As(v.Name, password, "").ExecContext(t.Context(), "CREATE TABLE `dom-pxq`.t (i INT)"); err == nil {
			t.Errorf("a visitor of %s writes into dom-pxq", name)
		}
	}
}

func visitorReads(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a := site("dom-visit-read")
	ensure(t, server, a)
	if _, err := s.As(a.Name, a.Password, a.Name).ExecContext(t.Context(), "CREATE TABLE post (id INT)"); err != nil {
		t.Fatal(err)
	}
	v, password := admit(t, s, server, mariadb.Visitor{Database: a.Name, ReadOnly: true})
	db := s.As(v.Name, password, a.Name)
	if _, err := db.ExecContext(t.Context(), "SELECT * FROM post"); err != nil {
		t.Errorf("a reader can't read: %v", err)
	}
	for _, query := range []string{"INSERT INTO post VALUES (1)", "DELETE FROM post", "DROP TABLE post", "CREATE TABLE t (i INT)", "LOCK TABLES post WRITE"} {
		if _, err := db.ExecContext(t.Context(), query); err == nil {
			t.Errorf("a reader may run %s", query)
		}
	}
}

// A view whose definer is gone fails in the site, so it is the visitor who is refused.
func visitorLeavesNothing(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a := site("dom-visit-views")
	ensure(t, server, a)
	v, password := admit(t, s, server, mariadb.Visitor{Database: a.Name})
	db := s.As(v.Name, password, a.Name)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE post (id INT)"); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		"CREATE VIEW v AS SELECT * FROM post", "CREATE TRIGGER t BEFORE INSERT ON post FOR EACH ROW SET @x = 1",
		"CREATE PROCEDURE p() SELECT 1", "CREATE FUNCTION f() RETURNS INT RETURN 1", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
	} {
		if _, err := db.ExecContext(t.Context(), query); err == nil {
			t.Errorf("a visitor may run %s", query)
		}
	}
}

func visitorDismissed(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a := site("dom-visit-gone")
	ensure(t, server, a)
	v, password := admit(t, s, server, mariadb.Visitor{Database: a.Name})
	db := s.As(v.Name, password, a.Name)
	// All the connections that a visitor may have, each with a statement under way.
	ended := make(chan error, 10)
	for range cap(ended) {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := conn.ExecContext(t.Context(), "SELECT SLEEP(60)")
			ended <- err
		}()
	}
	for range 2 { // a repeated removal is none
		if err := server.Dismiss(t.Context(), v.Name); err != nil {
			t.Fatalf("Dismiss(%s) = %v", v.Name, err)
		}
	}
	for range cap(ended) {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("a statement of a dismissed visitor went on to its end")
			}
		case <-time.After(20 * time.Second):
			t.Fatal("a statement of a dismissed visitor still runs")
		}
	}
	if err := s.As(v.Name, password, a.Name).PingContext(t.Context()); err == nil {
		t.Error("a dismissed visitor signs in")
	}
}

func visitorsListed(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a := site("dom-visit-list")
	ensure(t, server, a)
	had, err := server.Visitors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v, _ := admit(t, s, server, mariadb.Visitor{Database: a.Name})
	got, err := server.Visitors(t.Context())
	if err != nil || len(got) != len(had)+1 || !slices.Contains(got, v.Name) || slices.Contains(got, a.Name) {
		t.Errorf("Visitors = %v, %v, want those from before and %s", got, err, v.Name)
	}
}

func visitorOnly(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a := site("dom-visit-owner")
	ensure(t, server, a)
	for _, name := range []string{a.Name, "root", mariadbtest.OperatorUser} {
		if err := server.Dismiss(t.Context(), name); !errors.Is(err, mariadb.ErrForeign) {
			t.Errorf("Dismiss(%s) = %v, want ErrForeign", name, err)
		}
		if err := server.Admit(t.Context(), mariadb.Visitor{Name: name, Database: a.Name, Hash: fmt.Sprintf("*%040d", 0)}); !errors.Is(err, mariadb.ErrForeign) {
			t.Errorf("Admit(%s) = %v, want ErrForeign", name, err)
		}
	}
	if err := s.As(a.Name, a.Password, a.Name).PingContext(t.Context()); err != nil {
		t.Errorf("the site's own user: %v", err)
	}
}
