package mariadb_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb/mariadbtest"
)

// newAuthority returns a certificate authority, and its certificate in PEM.
func newAuthority(t *testing.T) (signer *authority.Authority, trust string) {
	t.Helper()
	cert, key, err := authority.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if signer, err = authority.Read(cert, key); err != nil {
		t.Fatal(err)
	}
	return signer, string(cert)
}

// present lets the server show a new certificate for a name, and returns its number.
func present(t *testing.T, s *mariadbtest.Server, signer *authority.Authority, name string) *big.Int {
	t.Helper()
	leaf, err := signer.Issue(time.Now(), name)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := authority.Encode(leaf)
	if err != nil {
		t.Fatal(err)
	}
	s.Present(cert, key)
	return leaf.Leaf.SerialNumber
}

// trusting opens the server as the operator that trusts this authority.
func trusting(t *testing.T, s *mariadbtest.Server, authority string) *mariadb.Server {
	t.Helper()
	server, err := mariadb.Open(mariadb.Account{
		Host: "127.0.0.1", Port: s.Port, User: mariadbtest.OperatorUser, Password: mariadbtest.OperatorPassword, Authority: authority,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func TestServerProvesWhoItIs(t *testing.T) {
	s := mariadbtest.Start(t)
	ours, trust := newAuthority(t)
	stranger, _ := newAuthority(t)

	if err := trusting(t, s, trust).Ping(t.Context()); !errors.Is(err, mariadb.ErrUnproven) {
		t.Errorf("a server without a certificate: Ping() = %v, want ErrUnproven", err)
	}
	s.Stop()
	present(t, s, ours, "127.0.0.1")
	s.StartAgain()
	if err := trusting(t, s, trust).Ping(t.Context()); err != nil {
		t.Errorf("a server with its certificate: Ping() = %v", err)
	}
	present(t, s, stranger, "127.0.0.1")
	if err := trusting(t, s, trust).Ping(t.Context()); !errors.Is(err, mariadb.ErrUnproven) {
		t.Errorf("a certificate of another authority: Ping() = %v, want ErrUnproven", err)
	}
	present(t, s, ours, "localhost")
	if err := trusting(t, s, trust).Ping(t.Context()); !errors.Is(err, mariadb.ErrUnproven) {
		t.Errorf("a certificate for another name: Ping() = %v, want ErrUnproven", err)
	}
	if _, err := mariadb.Open(mariadb.Account{Host: "127.0.0.1", Port: s.Port, Authority: "no PEM"}); err == nil {
		t.Error("an authority that can't be read is taken for none")
	}
}

func TestRenewedCertificateIsShownWithoutARestart(t *testing.T) {
	s := mariadbtest.Start(t)
	s.Stop()
	ours, trust := newAuthority(t)
	first := present(t, s, ours, "127.0.0.1")
	s.StartAgain()
	server := trusting(t, s, trust)
	if err := server.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, s, trust); got.Cmp(first) != 0 {
		t.Errorf("the server shows certificate %d, want %d", got, first)
	}
	second := present(t, s, ours, "127.0.0.1")
	if got := shown(t, s, trust); got.Cmp(second) != 0 {
		t.Errorf("after a renewal the server shows certificate %d, want %d", got, second)
	}
	if err := server.Ping(t.Context()); err != nil {
		t.Errorf("a connection from before the renewal: %v", err)
	}
}

// shown returns the number of the certificate that a new connection meets.
func shown(t *testing.T, s *mariadbtest.Server, trust string) *big.Int {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(trust))
	var number *big.Int
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", fmt.Sprintf("127.0.0.1:%d", s.Port)
	c.User, c.Passwd = mariadbtest.OperatorUser, mariadbtest.OperatorPassword
	c.TLS = &tls.Config{RootCAs: roots, VerifyConnection: func(state tls.ConnectionState) error {
		number = state.PeerCertificates[0].SerialNumber
		return nil
	}}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := connector.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	return number
}

func TestOperatorsAccountIsOfNoUseInClear(t *testing.T) {
	s := mariadbtest.Start(t)
	s.Stop()
	ours, trust := newAuthority(t)
	present(t, s, ours, "127.0.0.1")
	s.StartAgain()
	if err := open(t, s).Ping(t.Context()); err != nil {
		t.Errorf("before TLS is required: Ping() in clear = %v", err)
	}
	server := trusting(t, s, trust)
	for range 2 {
		if err := server.Guard(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, s).Ping(t.Context()); !errors.Is(err, mariadb.ErrRefused) {
		t.Errorf("once TLS is required: Ping() in clear = %v, want ErrRefused", err)
	}
	// A site is not asked for TLS, and the operator looks at it encrypted.
	a := site("dom-a-example")
	ensure(t, server, a)
	ensure(t, server, a)
	if err := s.As(a.Name, a.Password, a.Name).Ping(); err != nil {
		t.Errorf("a site in clear: %v", err)
	}
}

// certified opens the server as who has the operator's password and shows a certificate.
func certified(t *testing.T, s *mariadbtest.Server, trust string, identity *mariadb.Identity) *mariadb.Server {
	t.Helper()
	server, err := mariadb.Open(mariadb.Account{
		Host: "127.0.0.1", Port: s.Port, User: mariadbtest.OperatorUser, Password: mariadbtest.OperatorPassword, Authority: trust, Identity: identity,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func client(t *testing.T, signer *authority.Authority, now time.Time, subject pkix.Name) *mariadb.Identity {
	t.Helper()
	leaf, err := signer.IssueClient(now, authority.ClientLifetime, subject)
	if err != nil {
		t.Fatal(err)
	}
	identity := &mariadb.Identity{}
	identity.Take(leaf)
	return identity
}

func TestStolenPasswordOpensNothing(t *testing.T) {
	s := mariadbtest.Start(t)
	s.Stop()
	ours, trust := newAuthority(t)
	present(t, s, ours, "127.0.0.1")
	s.Trust([]byte(trust))
	s.StartAgain()
	now := time.Now()
	before := trusting(t, s, trust) // signed in while the password was enough
	if err := before.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	identity := client(t, ours, now, mariadb.Subject())
	server := certified(t, s, trust, identity)
	for range 2 {
		if err := errors.Join(server.Ping(t.Context()), server.Guard(t.Context())); err != nil {
			t.Fatal(err)
		}
	}

	if err := before.Guard(t.Context()); err != nil {
		t.Fatal(err)
	}

	stranger, _ := newAuthority(t)
	serving := &mariadb.Identity{}
	leaf, err := ours.Issue(now, "kubepanel-operator")
	if err != nil {
		t.Fatal(err)
	}
	serving.Take(leaf)
	thieves := map[string]struct {
		shows *mariadb.Identity
		want  error
	}{
		"no certificate":                   {nil, mariadb.ErrRefused},
		"one of another authority":         {client(t, stranger, now, mariadb.Subject()), mariadb.ErrUnknown},
		"one of another program":           {client(t, ours, now, pkix.Name{Organization: []string{"Kubepanel"}, CommonName: "panel"}), mariadb.ErrRefused},
		"one with more in its name":        {client(t, ours, now, pkix.Name{Country: []string{"XX"}, Organization: []string{"Kubepanel"}, CommonName: "kubepanel-operator"}), mariadb.ErrRefused},
		"one that ended":                   {client(t, ours, now.Add(-authority.ClientLifetime-time.Minute), mariadb.Subject()), mariadb.ErrUnknown},
		"a server's, with nearly the name": {serving, mariadb.ErrUnknown},
	}
	for name, thief := range thieves {
		if err := certified(t, s, trust, thief.shows).Ping(t.Context()); !errors.Is(err, thief.want) {
			t.Errorf("who shows %s: Ping() = %v, want %v", name, err, thief.want)
		}
	}
	if err := open(t, s).Ping(t.Context()); !errors.Is(err, mariadb.ErrRefused) {
		t.Errorf("in clear: Ping() = %v, want ErrRefused", err)
	}

	// The next certificate is shown by the connections of then.
	leaf, err = ours.IssueClient(now, authority.ClientLifetime, mariadb.Subject())
	if err != nil {
		t.Fatal(err)
	}
	identity.Take(leaf)
	s.Stop()
	s.StartAgain()
	if err := server.Ping(t.Context()); err != nil {
		t.Errorf("after a renewal: Ping() = %v", err)
	}

	// A site shows none, and needs none.
	a := site("dom-a-example")
	ensure(t, server, a)
	ensure(t, server, a)
	if err := s.As(a.Name, a.Password, a.Name).Ping(); err != nil {
		t.Errorf("a site in clear: %v", err)
	}
}

func TestServerIsNotToldToRequireWhatItDoesNotKnow(t *testing.T) {
	s := mariadbtest.Start(t)
	s.Stop()
	ours, trust := newAuthority(t)
	present(t, s, ours, "127.0.0.1")
	s.StartAgain()
	server := certified(t, s, trust, client(t, ours, time.Now(), mariadb.Subject()))
	if err := server.Ping(t.Context()); !errors.Is(err, mariadb.ErrUnknown) {
		t.Errorf("a server that knows no authority: Ping() = %v, want ErrUnknown", err)
	}
	if err := server.Guard(t.Context()); err == nil {
		t.Error("a server that hung up was told what to require")
	}
	if err := trusting(t, s, trust).Guard(t.Context()); err != nil {
		t.Fatal(err)
	}
}
