// Package postgrestest runs a real PostgreSQL server for tests. It must never be
// imported by anything but tests.
package postgrestest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"kubepanel.io/kubepanel/internal/proctest"
)

// startTimeout covers a slow disk; a warm start takes half a second.
const startTimeout = 60 * time.Second

// Server is one server process that listens on a socket in a folder of its own.
type Server struct {
	// Port is where one that was started with certificates listens on 127.0.0.1.
	Port int

	dir       string
	cmd       *exec.Cmd
	log       proctest.Log
	databases atomic.Int64
}

// Start makes a server and waits until it answers. Whoever calls it calls Stop.
func Start() (*Server, error) {
	dir, err := os.MkdirTemp("", "kubepanel-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.start(); err != nil {
		s.Stop()
		return nil, fmt.Errorf("%w\n%s", err, s.log.String())
	}
	return s, nil
}

// Certificates are what a server shows and whom it lets in, all PEM.
type Certificates struct{ Certificate, Key, Clients []byte }

// StartCertified makes a server on a port, where nobody is let in but by TLS and with a
// certificate of Clients in which the common name is the user's.
func StartCertified(port int, c Certificates) (*Server, error) {
	dir, err := os.MkdirTemp("", "kubepanel-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, Port: port}
	args := []string{"-c", "listen_addresses=127.0.0.1", "-p", strconv.Itoa(port), "-c", "ssl=on"}
	for setting, data := range map[string][]byte{
		"ssl_cert_file": c.Certificate, "ssl_key_file": c.Key, "ssl_ca_file": c.Clients,
		"hba_file": []byte("local all all trust\nhostssl all all 127.0.0.1/32 cert\n"),
	} {
		path := filepath.Join(dir, setting)
		if err := errors.Join(os.WriteFile(path, data, 0o600), proctest.Own(path)); err != nil {
			s.Stop()
			return nil, err
		}
		args = append(args, "-c", setting+"="+path)
	}
	if err := s.start(args...); err != nil {
		s.Stop()
		return nil, fmt.Errorf("%w\n%s", err, s.log.String())
	}
	return s, nil
}

func (s *Server) start(args ...string) error {
	if err := proctest.Own(s.dir); err != nil { // initdb refuses to be root
		return err
	}
	data := filepath.Join(s.dir, "data")
	initdb, err := s.command("initdb", "--pgdata="+data, "--username=kubepanel", "--auth=trust", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8")
	if err != nil {
		return err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	s.cmd, err = s.command("postgres", append([]string{"-D", data, "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"}, args...)...)
	if err != nil {
		return err
	}
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return err
	}
	db, err := sql.Open("pgx", s.address("postgres"))
	if err != nil {
		return err
	}
	defer db.Close() // nothing was written
	for end := time.Now().Add(startTimeout); ; {
		if err = db.Ping(); err == nil || time.Now().After(end) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Database makes an empty database and returns its address.
func (s *Server) Database(ctx context.Context) (string, error) {
	db, err := sql.Open("pgx", s.address("postgres"))
	if err != nil {
		return "", err
	}
	defer db.Close() // the statement answered
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return s.address(name), nil
}

// Stop kills the server as a crash would, and removes what it had.
func (s *Server) Stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // an immediate end, of its children too
		_ = s.cmd.Wait()
	}
	_ = os.RemoveAll(s.dir)
}

func (s *Server) address(database string) string {
	address := fmt.Sprintf("postgres:///%s?host=%s&user=kubepanel", database, s.dir)
	if s.Port != 0 { // it is in the socket's name
		address += "&port=" + strconv.Itoa(s.Port)
	}
	return address
}

// command finds Debian's programs, which are not on PATH.
func (s *Server) command(name string, args ...string) (*exec.Cmd, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return nil, errors.Join(fmt.Errorf("%s is missing: apt-get install postgresql", name), err)
	}
	cmd := exec.Command(slices.Max(found), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Credential: proctest.Account()}
	return cmd, nil
}
