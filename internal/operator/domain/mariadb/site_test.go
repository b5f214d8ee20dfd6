package mariadb_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/operator/domain/mariadb"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb/mariadbtest"
)

func open(t *testing.T, s *mariadbtest.Server) *mariadb.Server {
	t.Helper()
	server, err := mariadb.Open(mariadb.Account{
		Host: "127.0.0.1", Port: s.Port, User: mariadbtest.OperatorUser, Password: mariadbtest.OperatorPassword,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func site(name string) mariadb.Site {
	return mariadb.Site{Name: name, Password: "secret'\"\\ of " + name, Mark: "kubepanel:" + name, Connections: 20}
}

func TestSites(t *testing.T) {
	s := mariadbtest.Start(t)
	server := open(t, s)
	run := func(name string, test func(*testing.T, *mariadbtest.Server, *mariadb.Server)) {
		t.Run(name, func(t *testing.T) { test(t, s, server) })
	}
	run("a site uses its database and no other", usesOwn)
	run("an underscore in GRANT is no wildcard", underscore)
	run("a changed password, limit or grant is mended", mends)
	run("what is as it should be is only looked at", writesNothing)
	run("two passwords are good while they should be", overlaps)
	run("a database or user of a stranger is not adopted", foreign)
	run("an ended run is continued", continued)
	run("nothing is left after Drop", drops)
	run("a stopped server is an error that says so", stopped)
}

func ensure(t *testing.T, server *mariadb.Server, sites ...mariadb.Site) {
	t.Helper()
	for _, site := range sites {
		if err := server.Ensure(t.Context(), site); err != nil {
			t.Fatalf("Ensure(%s) = %v", site.Name, err)
		}
	}
}

func usesOwn(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a, b := site("dom-a-example"), site("dom-b-example")
	ensure(t, server, a, b)
	db := s.As(a.Name, a.Password, a.Name)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE post (id INT PRIMARY KEY)"); err != nil {
		t.Errorf("a site can't use its own database: %v", err)
	}
	for _, query := range []string{
		"SELECT 1 FROM `dom-b-example`.x", "CREATE DATABASE `dom-c-example`", "CREATE DATABASE `dom-a-example2`",
		"SELECT * FROM mysql.user", "GRANT ALL ON `dom-a-example`.* TO `dom-b-example`@`%`", "CREATE USER x",
	} {
		if _, err := db.ExecContext(t.Context(), query); err == nil {
			t.Errorf("a site may run %s", query)
		}
	}
}

// Fault of the original: GRANT on `my_site` opened `my-site` and `myxsite` too.
func underscore(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a, b, c := site("dom-x_y"), site("dom-xzy"), site("dom-%")
	ensure(t, server, b)
	// The operator's own right is on dom-%, so it can make these names too.
	ensure(t, server, a, c)
	for _, from := range []mariadb.Site{a, c} {
		if _, err := s.As(from.Name, from.Password, "").ExecContext(t.Context(), "CREATE TABLE `dom-xzy`.t (i INT)"); err == nil {
			t.Errorf("%s writes into dom-xzy", from.Name)
		}
		if _, err := s.As(from.Name, from.Password, from.Name).ExecContext(t.Context(), "CREATE TABLE t (i INT)"); err != nil {
			t.Errorf("%s can't use its own database: %v", from.Name, err)
		}
	}
}

func mends(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a := site("dom-mend")
	ensure(t, server, a)
	root := s.Root()
	defer root.Close() // nothing to lose
	for _, damage := range []string{
		"ALTER USER 'dom-mend'@'%' IDENTIFIED BY 'other'",
		"REVOKE ALL ON `dom-mend`.* FROM 'dom-mend'@'%'",
		"REVOKE INSERT ON `dom-mend`.* FROM 'dom-mend'@'%'",
		"DROP USER 'dom-mend'@'%'",
		"DROP DATABASE `dom-mend`",
		"ALTER USER 'dom-mend'@'%' WITH MAX_USER_CONNECTIONS 1",
		"ALTER USER 'dom-mend'@'%' ACCOUNT LOCK",
	} {
		if _, err := root.ExecContext(t.Context(), damage); err != nil {
			t.Fatal(err)
		}
		ensure(t, server, a)
		if _, err := s.As(a.Name, a.Password, a.Name).ExecContext(t.Context(), "CREATE OR REPLACE TABLE t (i INT)"); err != nil {
			t.Errorf("after %q and Ensure the site can't use its database: %v", damage, err)
		}
	}
	a.Password = "another one"
	ensure(t, server, a)
	if err := s.As(a.Name, a.Password, a.Name).Ping(); err != nil {
		t.Errorf("a new password is not set: %v", err)
	}
	// A site may alter its own database; ours stays ours.
	if _, err := s.As(a.Name, a.Password, a.Name).ExecContext(t.Context(), "ALTER DATABASE `dom-mend` COMMENT 'mine'"); err != nil {
		t.Fatal(err)
	}
	a.Known = true
	ensure(t, server, a)
	a.Known = false
	ensure(t, server, a)
}

func overlaps(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a := site("dom-overlap")
	ensure(t, server, a)
	first, second := a.Password, "second'"
	good := func(passwords ...string) {
		t.Helper()
		for _, password := range []string{first, second, "own"} {
			if got := s.As(a.Name, password, a.Name).Ping() == nil; got != slices.Contains(passwords, password) {
				t.Errorf("password %q is good: %v, want %v", password, got, !got)
			}
		}
	}
	good(first)
	a.Password, a.Previous = second, first
	ensure(t, server, a, a)
	good(first, second)
	// One beside ours that we did not give.
	root := s.Root()
	defer root.Close() // what it wrote was answered
	if _, err := root.ExecContext(t.Context(), "ALTER USER '"+a.Name+"'@'%' IDENTIFIED VIA mysql_native_password"+
		" USING PASSWORD('second\\'') OR mysql_native_password USING PASSWORD('own')"); err != nil {
		t.Fatal(err)
	}
	good(second, "own")
	ensure(t, server, a)
	good(first, second)
	a.Previous = ""
	ensure(t, server, a, a)
	good(second)
}

func writesNothing(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a := site("dom-calm")
	ensure(t, server, a)
	root := s.Root()
	defer root.Close() // nothing to lose
	count := func() (n int) {
		t.Helper()
		err := root.QueryRowContext(t.Context(), "SELECT SUM(VARIABLE_VALUE) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN"+
			" ('COM_CREATE_USER', 'COM_ALTER_USER', 'COM_GRANT', 'COM_CREATE_DB', 'COM_ALTER_DB', 'COM_REVOKE')").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	for range 5 {
		ensure(t, server, a)
	}
	if after := count(); after != before {
		t.Errorf("five unchanged Ensure ran %d statements that write", after-before)
	}
}

func foreign(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	root := s.Root()
	defer root.Close() // nothing to lose
	for _, q := range []string{
		"CREATE DATABASE `dom-stranger`", "CREATE DATABASE `dom-other` COMMENT 'kubepanel:other.example'",
		"CREATE USER 'dom-lonely'@'%' IDENTIFIED BY 'theirs'",
	} {
		if _, err := root.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"dom-stranger", "dom-other", "dom-lonely"} {
		a := site(name)
		if err := server.Ensure(t.Context(), a); !errors.Is(err, mariadb.ErrForeign) {
			t.Errorf("Ensure(%s) = %v, want ErrForeign", name, err)
		}
		if err := server.Ensure(t.Context(), a); !errors.Is(err, mariadb.ErrForeign) {
			t.Errorf("second Ensure(%s) = %v, want ErrForeign", name, err)
		}
		if err := server.Drop(t.Context(), a); err != nil {
			t.Errorf("Drop(%s) = %v, want it to leave what is not ours", name, err)
		}
	}
	var n int
	err := root.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('dom-stranger', 'dom-other'))"+
		" + (SELECT COUNT(*) FROM mysql.user WHERE User IN ('dom-lonely', 'dom-stranger', 'dom-other'))").Scan(&n)
	if err != nil || n != 3 {
		t.Errorf("of a stranger's two databases and one user %d are there (%v), want 3", n, err)
	}
}

func continued(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	root := s.Root()
	defer root.Close() // nothing to lose
	a := site("dom-halfway")
	if _, err := root.ExecContext(t.Context(), "CREATE USER 'dom-halfway'@'%' IDENTIFIED BY ?", a.Password); err != nil {
		t.Fatal(err)
	}
	ensure(t, server, a)
	if err := s.As(a.Name, a.Password, a.Name).Ping(); err != nil {
		t.Error(err)
	}
}

func drops(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	a := site("dom-gone")
	ensure(t, server, a)
	for range 2 { // a repeated removal is none
		if err := server.Drop(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	root := s.Root()
	defer root.Close() // nothing to lose
	var n int
	err := root.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?)"+
		" + (SELECT COUNT(*) FROM mysql.user WHERE User = ?) + (SELECT COUNT(*) FROM mysql.db WHERE Db = ?)", a.Name, a.Name, a.Name).Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("%d things are left (%v)", n, err)
	}
}

func stopped(t *testing.T, s *mariadbtest.Server, server *mariadb.Server) {
	s.Stop()
	err := server.Ping(t.Context())
	if err == nil || errors.Is(err, mariadb.ErrRefused) || errors.Is(err, mariadb.ErrForeign) {
		t.Errorf("Ping of a stopped server = %v", err)
	}
	if err := server.Ensure(t.Context(), site("dom-late")); err == nil {
		t.Error("Ensure on a stopped server succeeded")
	}
	s.StartAgain()
	ensure(t, server, site("dom-late"))
	wrong, err := mariadb.Open(mariadb.Account{Host: "127.0.0.1", Port: s.Port, User: mariadbtest.OperatorUser, Password: "wrong"})
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close() // nothing to lose
	if err := wrong.Ping(t.Context()); !errors.Is(err, mariadb.ErrRefused) {
		t.Errorf("Ping with a wrong password = %v, want ErrRefused", err)
	}
	if strings.Contains(mariadbtest.OperatorPassword, "'") {
		t.Error("the operator's password must not need quoting in an init file")
	}
}
