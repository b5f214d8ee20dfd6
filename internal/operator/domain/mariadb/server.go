package mariadb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	dialTimeout = 3 * time.Second
	// callTimeout bounds one statement: a server that hangs must not hang us.
	callTimeout = 10 * time.Second
	// lockWait is in seconds. MariaDB's own default of a day would let a site's
	// open transaction stop the removal of its database.
	lockWait = "5"
	// maxConnections shares one server with thousands of sites' own connections.
	maxConnections = 4
	idleTime       = time.Minute
)

// Errors that a caller decides on.
var (
	// ErrForeign: a database or user of that name exists and is not ours.
	ErrForeign = errors.New("not made by this platform")
	// ErrRefused: the server is there and does not accept our account.
	ErrRefused = errors.New("the server refuses the operator's account")
	// ErrUnproven: the server does not show that it is who we look for: it has no
	// certificate, or one for another name or of another authority.
	ErrUnproven = errors.New("the server's certificate is missing or not to be trusted")
	// ErrUnknown: the server ends every connection that shows our certificate, so it
	// does not know who signed it.
	ErrUnknown = errors.New("the server does not know the operator's certificate")
)

// Numbers of server errors, from MariaDB's error code reference.
const (
	erDatabaseAccess  = 1044 // ER_DBACCESS_DENIED_ERROR
	erAccessDenied    = 1045 // ER_ACCESS_DENIED_ERROR
	erPrivilege       = 1227 // ER_SPECIFIC_ACCESS_DENIED_ERROR
	erCannotUser      = 1396 // ER_CANNOT_USER
	erDatabaseExists  = 1007 // ER_DB_CREATE_EXISTS
	erTooManyUserConn = 1226 // ER_USER_LIMIT_REACHED
)

// Account is who to be on which server.
type Account struct {
	Host, User, Password string
	Port                 int32
	// Authority is what the server's certificate must be signed by, in PEM. "" asks for
	// none, and nothing is encrypted.
	Authority string
	// Identity is shown to who is proven so; nil signs in by the password alone.
	Identity *Identity
}

// Server is the platform's MariaDB as seen by the operator's account.
type Server struct {
	account Account
	db      *sql.DB
}

// Open prepares a pool; it does not dial.
func Open(a Account) (*Server, error) {
	connector, err := a.connector("")
	if err != nil {
		return nil, fmt.Errorf("set up connections to %s: %w", a.Host, err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConnections)
	// Signing in costs more than a statement.
	db.SetMaxIdleConns(maxConnections)
	db.SetConnMaxIdleTime(idleTime)
	return &Server{account: a, db: db}, nil
}

// Close ends the pool.
func (s *Server) Close() error { return s.db.Close() }

// Account returns who this server is spoken to as.
func (s *Server) Account() Account { return s.account }

// Ping tells whether the server answers and accepts our account. An error that
// is none of ErrRefused, ErrUnproven and ErrUnknown means that it could not be reached.
func (s *Server) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := s.db.PingContext(ctx)
	_, stranger := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case err == nil:
		return nil
	case number(err) == erAccessDenied:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case stranger || errors.Is(err, mysql.ErrNoTLS):
		return fmt.Errorf("%w: %w", ErrUnproven, err)
	case s.account.Identity != nil && ended(err):
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return fmt.Errorf("reach MariaDB: %w", err)
}

// Guard makes the server refuse the operator's account to who comes otherwise than we
// do: without our certificate, where the server asked for it and so knows it, and in
// clear. It never asks for less than is asked for already.
func (s *Server) Guard(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var account string
	if err := s.db.QueryRowContext(ctx, "SHOW CREATE USER CURRENT_USER").Scan(&account); err != nil {
		return fmt.Errorf("look at the operator's account: %w", err)
	}
	proof := "SUBJECT '" + subjectLine + "'"
	if !s.account.Identity.wasShown() {
		proof = "SSL"
		if strings.Contains(account, " REQUIRE ") {
			return nil
		}
	}
	if strings.Contains(account, " REQUIRE "+proof) {
		return nil
	}
	if err := s.exec(ctx, "ALTER USER CURRENT_USER REQUIRE "+proof); err != nil {
		return fmt.Errorf("require %s of the operator's account: %w", proof, err)
	}
	return nil
}

func (a Account) connector(database string) (driver.Connector, error) {
	c := a.config(database)
	if a.Authority != "" {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(a.Authority)) {
			return nil, errors.New("the authority of the server's certificate can't be read")
		}
		c.TLS = &tls.Config{RootCAs: roots, ServerName: a.Host, MinVersion: tls.VersionTLS12}
		if a.Identity != nil {
			c.TLS.GetClientCertificate = a.Identity.present
		}
	}
	return mysql.NewConnector(c)
}

func (a Account) config(database string) *mysql.Config {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port)))
	c.User, c.Passwd, c.DBName = a.User, a.Password, database
	c.Timeout, c.ReadTimeout, c.WriteTimeout = dialTimeout, callTimeout, callTimeout
	// Account statements can't be prepared on the server, so the driver puts
	// escaped values in; it knows the connection's escaping rules.
	c.InterpolateParams = true
	c.Params = map[string]string{"lock_wait_timeout": lockWait}
	c.Logger = &mysql.NopLogger{} // every error reaches us as an error
	return c
}

// number returns the server's error number, 0 when the server did not answer.
func number(err error) uint16 {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number
	}
	return 0
}

// Words returns what the server said, without what the network or we added.
func Words(err error) string {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Message
	}
	return "no answer"
}
