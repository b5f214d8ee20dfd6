package images_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"kubepanel.io/kubepanel/internal/proctest"
)

// nobody is who the server runs as in tests: it refuses to be root.
const nobody = 65534

// server is mariadb-start with folders of a test's own.
type server struct {
	t   *testing.T
	dir string
	log *proctest.Log
	cmd *exec.Cmd
}

func newServer(t *testing.T) *server {
	t.Helper()
	need(t, "mariadbd", "mariadb-install-db", "mariadb-admin", "openssl")
	// Not t.TempDir, which other accounts can't enter.
	dir, err := os.MkdirTemp("", "kubepanel-mariadb-")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, dir: dir, log: &proctest.Log{}}
	t.Cleanup(func() {
		s.kill()
		_ = os.RemoveAll(dir)
	})
	for _, folder := range []string{"data", "run", "mariadb-auth", "mariadb-operator", "mariadb-tls", "mariadb-clients"} {
		if err := os.Mkdir(s.path(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.secret("mariadb-auth/password", "rootsecret")
	s.secret("mariadb-operator/username", "kubepanel-operator")
	s.secret("mariadb-operator/password", "operatorsecret")
	// The image's settings, in the folders of this test and without what only this machine's older server lacks.
	text, err := os.ReadFile("mariadb/kubepanel.cnf")
	if err != nil {
		t.Fatal(err)
	}
	settings := strings.NewReplacer("!includedir /etc/kubepanel/mariadb", "", "/run/mariadb", s.path("run"),
		"tmpdir = /tmp", "tmpdir = "+dir, "bind_address = *", "bind_address = 127.0.0.1", "port = 3306", "port = 0\nskip_networking = ON").Replace(string(text))
	s.secret("config.cnf", settings)
	if os.Geteuid() == 0 {
		if err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(path, nobody, nobody)
		}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *server) path(name string) string { return filepath.Join(s.dir, name) }

// secret writes a file as kubelet does those of a Secret: nobody may write into it.
func (s *server) secret(name, content string) {
	s.t.Helper()
	if err := errors.Join(os.RemoveAll(s.path(name)), os.WriteFile(s.path(name), []byte(content), 0o444)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) command(script string) *exec.Cmd {
	path, err := filepath.Abs(script)
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("sh", path)
	cmd.Dir = s.dir
	// A server that starts removes the temporary tables that it finds in TMPDIR, its neighbour's too.
	cmd.Env = append(os.Environ(), "TMPDIR="+s.dir, "MARIADB_DATA="+s.path("data"), "MARIADB_RUN="+s.path("run"),
		"MARIADB_SECRETS="+s.dir, "MARIADB_TLS_LOOK=0.2", "MARIADB_CONFIG="+s.path("config.cnf"))
	// A group of its own, so that all of it can be ended at once, and an end with the test.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return cmd
}

func (s *server) begin() {
	s.t.Helper()
	s.cmd = s.command("mariadb/mariadb-start")
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// start starts the server and waits until its own health check says that it serves.
func (s *server) start() {
	s.t.Helper()
	s.begin()
	for end := time.Now().Add(2 * time.Minute); s.command("mariadb/mariadb-health").Run() != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.kill()
			s.t.Fatalf("the server does not serve:\n%s", s.log)
		}
	}
}

func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *server) as(user, password string) *sql.DB {
	s.t.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.Logger = "unix", s.path("run/mariadb.sock"), user, password, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		s.t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

func (s *server) exec(db *sql.DB, query string) {
	s.t.Helper()
	if _, err := db.Exec(query); err != nil {
		s.t.Errorf("%s: %v", query, err)
	}
}

func TestMariaDBStartsWithThePlatformsAccountsOnly(t *testing.T) {
	s := newServer(t)
	s.start()
	rows, err := s.as("root", "rootsecret").Query("SELECT CONCAT(User, '@', Host) FROM mysql.user ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for rows.Next() {
		var account string
		if err := rows.Scan(&account); err != nil {
			t.Fatal(err)
		}
		got = append(got, account)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if want := "[health@localhost kubepanel-operator@% mariadb.sys@localhost root@localhost tls@localhost]"; fmt.Sprint(got) != want {
		t.Errorf("accounts = %v, want %s", got, want)
	}
	if s.as("root", "").Ping() == nil {
		t.Error("root needs no password")
	}
}

func TestTheOperatorsAccountReachesSitesOnly(t *testing.T) {
	s := newServer(t)
	s.start()
	operator := s.as("kubepanel-operator", "operatorsecret")
	for _, query := range []string{
		"CREATE DATABASE `dom-a-example` CHARACTER SET utf8mb4 COMMENT 'kubepanel:a.example'",
		"CREATE USER 'dom-a-example'@'%' IDENTIFIED BY 'sitesecret'",
		"GRANT ALL PRIVILEGES ON `dom-a-example`.* TO 'dom-a-example'@'%'",
		"CREATE TABLE `dom-a-example`.t (a INT)",
		"DROP DATABASE `dom-a-example`",
		"DROP USER 'dom-a-example'@'%'",
	} {
		s.exec(operator, query)
	}
	for _, query := range []string{
		"CREATE DATABASE other", "SELECT * FROM mysql.global_priv", "CREATE TABLE mysql.t (a INT)",
		"GRANT ALL PRIVILEGES ON *.* TO 'kubepanel-operator'@'%'", "GRANT ALL PRIVILEGES ON mysql.* TO 'kubepanel-operator'@'%'",
		"SET GLOBAL max_connections = 1", "SELECT LOAD_FILE('/etc/passwd') INTO OUTFILE '/tmp/x'", "SHUTDOWN", "FLUSH PRIVILEGES",
	} {
		if _, err := operator.Exec(query); err == nil {
			t.Errorf("%s: went through", query)
		}
	}
}

func TestAChangedPasswordCountsAtTheNextStart(t *testing.T) {
	s := newServer(t)
	s.start()
	s.exec(s.as("root", "rootsecret"), "CREATE USER 'root'@'%' IDENTIFIED BY ''")
	s.exec(s.as("kubepanel-operator", "operatorsecret"), "CREATE DATABASE `dom-kept` COMMENT 'kubepanel:kept'")
	s.kill()
	s.secret("mariadb-auth/password", "newroot")
	s.secret("mariadb-operator/password", "newoperator")
	s.start()
	root, operator := s.as("root", "newroot"), s.as("kubepanel-operator", "newoperator")
	s.exec(root, "SELECT 1")
	s.exec(operator, "USE `dom-kept`")
	if s.as("kubepanel-operator", "operatorsecret").Ping() == nil {
		t.Error("the old password still counts")
	}
	var open int
	if err := root.QueryRow("SELECT COUNT(*) FROM mysql.user WHERE User = 'root' AND Host <> 'localhost'").Scan(&open); err != nil || open != 0 {
		t.Errorf("accounts of root's elsewhere = %d, %v, want 0", open, err)
	}
}

// offer puts a self-signed certificate of that name into the server's Secret.
func (s *server) offer(name string) {
	s.t.Helper()
	key, certificate := s.path("mariadb-tls/tls.key"), s.path("mariadb-tls/tls.crt")
	if err := errors.Join(os.RemoveAll(key), os.RemoveAll(certificate)); err != nil {
		s.t.Fatal(err)
	}
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN="+name,
		"-days", "2", "-keyout", key, "-out", certificate).CombinedOutput()
	if err != nil {
		s.t.Fatalf("openssl: %v\n%s", err, out)
	}
	if err := errors.Join(os.Chmod(key, 0o444), os.Chmod(certificate, 0o444)); err != nil {
		s.t.Fatal(err)
	}
}

// shows waits until who comes over the server's port is shown the certificate of that name.
func (s *server) shows(name string) {
	s.t.Helper()
	var got string
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Logger = "unix", s.path("run/mariadb.sock"), "health", &mysql.NopLogger{}
	c.TLS = &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(state tls.ConnectionState) error {
		got = state.PeerCertificates[0].Subject.CommonName
		return nil
	}}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); got != name; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("the server shows %q, want %q (%v)\n%s", got, name, err, s.log)
		}
		conn, connErr := connector.Connect(s.t.Context())
		if err = connErr; err == nil {
			_ = conn.Close()
		}
	}
}

func TestMariaDBShowsTheCertificateOfItsSecret(t *testing.T) {
	s := newServer(t)
	s.start()
	s.shows("unproven")
	before := s.as("root", "rootsecret")
	before.SetMaxOpenConns(1)
	s.exec(before, "SET @mine = 1")
	s.offer("first")
	s.shows("first")
	s.offer("second")
	s.shows("second")
	var mine sql.NullInt64
	if err := before.QueryRow("SELECT @mine").Scan(&mine); err != nil || mine.Int64 != 1 {
		t.Errorf("a connection from before has %v, %v, want it to be the same one", mine, err)
	}
	// A half that does not fit, as while a Secret is written, changes nothing.
	whole, err := os.ReadFile(s.path("mariadb-tls/tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.offer("third")
	s.secret("mariadb-tls/tls.key", string(whole))
	time.Sleep(time.Second)
	s.shows("second")
	s.kill()
	s.start()
	s.shows("unproven")
	s.offer("fourth")
	s.kill()
	s.start()
	s.shows("fourth")
}

// A container that starts anew finds what the one before it left in the pod's memory.
func TestMariaDBStartsAgainWithItsCertificate(t *testing.T) {
	s := newServer(t)
	s.offer("first")
	for range 3 {
		s.start()
		s.shows("first")
		s.kill()
	}
	s.start()
	s.offer("second")
	s.shows("second")
}

func TestARestartLetsAnOperatorWithoutTLSIn(t *testing.T) {
	s := newServer(t)
	s.offer("ours")
	s.start()
	s.exec(s.as("root", "rootsecret"), "ALTER USER 'kubepanel-operator'@'%' REQUIRE X509")
	if s.as("kubepanel-operator", "operatorsecret").Ping() == nil {
		t.Fatal("the account is let in without what it requires")
	}
	s.kill()
	s.start()
	s.exec(s.as("kubepanel-operator", "operatorsecret"), "DO 1")
}

// holder has a key and a certificate: an authority, or who signs in.
type holder struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// signed makes a holder whom that authority signed; one without is its own.
func signed(t *testing.T, name string, by *holder, ca bool) *holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IsCA: ca, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if ca {
		template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageCertSign, nil
	}
	if by == nil {
		by = &holder{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{certificate, key}
}

func (h *holder) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.certificate.Raw}))
}

// certified signs in as the operator, with a certificate that this authority signed.
func (s *server) certified(authority *holder) error {
	s.t.Helper()
	operator := signed(s.t, "operator", authority, false)
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.Logger = "unix", s.path("run/mariadb.sock"), "kubepanel-operator", "operatorsecret", &mysql.NopLogger{}
	c.TLS = &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{{
		Certificate: [][]byte{operator.certificate.Raw}, PrivateKey: operator.key,
	}}}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		s.t.Fatal(err)
	}
	conn, err := connector.Connect(s.t.Context())
	if err != nil {
		return err
	}
	return conn.Close()
}

// knows waits until the server takes certificates of that authority.
func (s *server) knows(authority *holder) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := s.certified(authority)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("the server does not take the operator's certificate: %v\n%s", err, s.log)
		}
	}
}

func TestMariaDBTakesCertificatesOfTheAuthorityInItsSecretOnly(t *testing.T) {
	s := newServer(t)
	s.start()
	first, second := signed(t, "authority", nil, true), signed(t, "authority", nil, true)
	s.exec(s.as("kubepanel-operator", "operatorsecret"), "DO 1")
	if s.certified(first) == nil {
		t.Error("before there is an authority a certificate of it is taken")
	}
	s.secret("mariadb-clients/ca.crt", first.pem())
	s.knows(first)
	s.exec(s.as("root", "rootsecret"), "ALTER USER 'kubepanel-operator'@'%' REQUIRE SUBJECT '/CN=operator'")
	s.secret("mariadb-clients/ca.crt", second.pem())
	s.knows(second)
	if s.certified(first) == nil {
		t.Error("certificates of an authority that was replaced are taken still")
	}
	// What the operator asked for stays over a start, so there is no moment for who has its password.
	for range 2 {
		s.kill()
		s.start()
		if s.as("kubepanel-operator", "operatorsecret").Ping() == nil {
			t.Error("after a start the password is enough")
		}
		s.knows(second)
	}
	var limit int
	if err := s.as("root", "rootsecret").QueryRow("SELECT max_user_connections FROM mysql.user WHERE User = 'kubepanel-operator'").Scan(&limit); err != nil || limit != 20 {
		t.Errorf("the operator may open %d connections, %v, want 20", limit, err)
	}

	// An authority that another one signed would let that other one sign for the operator.
	root := signed(t, "root", nil, true)
	middle := signed(t, "middle", root, true)
	s.secret("mariadb-clients/ca.crt", middle.pem()+root.pem())
	s.kill()
	s.start()
	s.exec(s.as("kubepanel-operator", "operatorsecret"), "DO 1")
	for name, authority := range map[string]*holder{"before": second, "the root": root} {
		if s.certified(authority) == nil {
			t.Errorf("a certificate of %s is taken", name)
		}
	}
}

func TestAFirstStartThatIsKilledIsMadeUpFor(t *testing.T) {
	s := newServer(t)
	for _, after := range []time.Duration{50 * time.Millisecond, 300 * time.Millisecond, time.Second} {
		s.begin()
		time.Sleep(after)
		s.kill()
	}
	s.start()
	s.exec(s.as("kubepanel-operator", "operatorsecret"), "CREATE DATABASE `dom-a`")
}

func TestASecretThatCouldBreakOutOfSQLIsRefused(t *testing.T) {
	for name, password := range map[string]string{"a quote": "x' OR ''='", "empty": "", "two lines": "a\nb"} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.secret("mariadb-operator/password", password)
			out, err := s.command("mariadb/mariadb-start").CombinedOutput()
			if err == nil {
				t.Error("the server started")
			}
			if got := string(out); !strings.Contains(got, "mariadb-operator/password") || strings.Contains(got, "OR") {
				t.Errorf("message = %q, want it to name the file and not its content", got)
			}
		})
	}
}
