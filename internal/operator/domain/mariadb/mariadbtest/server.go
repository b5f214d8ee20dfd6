// Package mariadbtest runs a real MariaDB server for tests, with the platform's
// accounts on it. It must never be imported by anything but tests.
package mariadbtest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"kubepanel.io/kubepanel/internal/proctest"
)

// Accounts that the server has beside root@localhost.
const (
	OperatorUser     = "kubepanel-operator"
	OperatorPassword = "operatorsecret"
	RootPassword     = "rootsecret"
)

// startTimeout covers a slow disk; a warm start takes under a second.
const startTimeout = 60 * time.Second

// accounts is what the platform's own server is started with.
const accounts = `ALTER USER root@localhost IDENTIFIED BY '` + RootPassword + `';
CREATE USER IF NOT EXISTS '` + OperatorUser + `'@'%' IDENTIFIED BY '` + OperatorPassword + `';
GRANT CREATE USER ON *.* TO '` + OperatorUser + `'@'%';
GRANT SELECT (User, Host) ON mysql.user TO '` + OperatorUser + `'@'%';
GRANT ALL PRIVILEGES ON ` + "`dom-%`" + `.* TO '` + OperatorUser + `'@'%' WITH GRANT OPTION;
`

// Server is one server process on a loopback port.
type Server struct {
	Port int32

	t   testing.TB
	dir string
	cmd *exec.Cmd
	log *proctest.Log
	tls bool
	// trusts says that the server knows an authority of certificates that clients show.
	trusts bool
}

// Start installs a server into a folder of its own and starts it.
func Start(t testing.TB) *Server {
	t.Helper()
	for _, program := range []string{"mariadbd", "mariadb-install-db"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: apt-get install mariadb-server", program)
		}
	}
	// Not t.TempDir: the server's own account must be able to reach it.
	dir, err := os.MkdirTemp("", "kubepanel-mariadb-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, dir: dir, Port: int32(proctest.Port(t)), log: &proctest.Log{}}
	t.Cleanup(func() {
		s.Stop()
		_ = os.RemoveAll(dir)
	})
	if err := os.WriteFile(filepath.Join(dir, "init.sql"), []byte(accounts), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := proctest.Own(dir, filepath.Join(dir, "init.sql")); err != nil {
		t.Fatal(err)
	}
	install := s.command("mariadb-install-db", "--no-defaults", "--datadir="+filepath.Join(dir, "data"),
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	s.StartAgain()
	return s
}

// StartAgain starts the server on the data it has, and waits until it answers.
func (s *Server) StartAgain() {
	s.t.Helper()
	args := []string{"--no-defaults",
		"--datadir=" + filepath.Join(s.dir, "data"), "--socket=" + filepath.Join(s.dir, "s"),
		"--pid-file=" + filepath.Join(s.dir, "pid"), "--init-file=" + filepath.Join(s.dir, "init.sql"),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(int(s.Port)),
		"--skip-name-resolve", "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF"}
	if s.tls {
		args = append(args, "--ssl-cert="+filepath.Join(s.dir, "tls.crt"), "--ssl-key="+filepath.Join(s.dir, "tls.key"))
		if s.trusts {
			args = append(args, "--ssl-ca="+filepath.Join(s.dir, "clients.crt"))
		}
	} else {
		args = append(args, "--skip-ssl")
	}
	s.cmd = s.command("mariadbd", args...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	db := s.Root()
	defer db.Close() // nothing was written
	for end := time.Now().Add(startTimeout); db.Ping() != nil; {
		if time.Now().After(end) {
			s.t.Fatalf("mariadbd does not answer:\n%s", s.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Present gives the server a certificate to show, both PEM. A server that has none
// takes it at its next start, one that has takes it at once.
func (s *Server) Present(certPEM, keyPEM []byte) {
	s.t.Helper()
	s.write("tls.crt", certPEM)
	s.write("tls.key", keyPEM)
	if !s.tls || s.cmd == nil {
		s.tls = true
		return
	}
	s.flush()
}

// Trust has the server take certificates of clients that this authority signed, at
// once where it took those of another. To begin or, with nil, to end that takes a start.
func (s *Server) Trust(caPEM []byte) {
	s.t.Helper()
	knows := s.trusts && s.cmd != nil
	s.trusts = caPEM != nil
	s.write("clients.crt", caPEM)
	if knows && s.trusts {
		s.flush()
	}
}

func (s *Server) write(name string, data []byte) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := errors.Join(os.WriteFile(path, data, 0o600), proctest.Own(path)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) flush() {
	s.t.Helper()
	root := s.Root()
	defer root.Close() // nothing was written
	if _, err := root.Exec("FLUSH SSL"); err != nil {
		s.t.Fatal(err)
	}
}

// Conceal takes TLS from the server at its next start.
func (s *Server) Conceal() { s.tls = false }

// Stop kills the server as a crash would.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Root opens a connection as root over the socket.
func (s *Server) Root() *sql.DB {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "unix", filepath.Join(s.dir, "s"), "root", RootPassword
	c.InterpolateParams, c.Logger = true, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return sql.OpenDB(connector)
}

// As opens a connection over TCP, as a site does.
func (s *Server) As(name, password, database string) *sql.DB {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", fmt.Sprintf("127.0.0.1:%d", s.Port)
	c.User, c.Passwd, c.DBName, c.Logger = name, password, database, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		s.t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

// command runs as another account when we are root: mariadbd refuses to be root.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	// A server that starts removes the temporary tables that it finds, its neighbour's too.
	cmd.Env = append(os.Environ(), "TMPDIR="+s.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: proctest.Account()}
	return cmd
}
