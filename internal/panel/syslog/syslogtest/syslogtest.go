// Package syslogtest runs rsyslog's real daemon as a log server that takes syslog by TLS.
// Only tests may import it.
package syslogtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/proctest"
)

const (
	program = "/usr/sbin/rsyslogd"
	// Host is what the server's certificate is for.
	Host = "localhost"
)

// Server is a log server that is not running yet.
type Server struct {
	// Address is HOST:PORT, Folder what a sender needs: ca.crt, and tls.crt and tls.key that
	// the server knows.
	Address, Folder string

	t    testing.TB
	home string
	cmd  *exec.Cmd
	said *proctest.Log
}

// New prepares a server with an authority of its own. With strict it takes nothing of who
// shows no certificate. The test is left out where Debian's rsyslog-openssl is missing.
func New(t testing.TB, strict bool) *Server {
	t.Helper()
	modules, err := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_ossl.so")
	if _, missing := exec.LookPath(program); missing != nil || err != nil || len(modules) == 0 {
		t.Skip("there is no rsyslog with rsyslog-openssl")
	}
	s := &Server{t: t, Folder: t.TempDir(), home: t.TempDir(), said: &proctest.Log{}}
	port := proctest.Port(t)
	s.Address = net.JoinHostPort(Host, strconv.Itoa(port))
	ca := NewAuthority(t)
	ca.Write(s.Folder, "panel.example")
	ca.Write(s.home, Host)
	mode := "anon"
	if strict {
		mode = "x509/certvalid"
	}
	config := fmt.Sprintf(`global(workDirectory=%[1]q maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off" processInternalMessages="on"
  defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="%[1]s/ca.crt"
  defaultNetstreamDriverCertFile="%[1]s/tls.crt" defaultNetstreamDriverKeyFile="%[1]s/tls.key")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode=%[2]q)
input(type="imtcp" address="127.0.0.1" port="%[3]d")
template(name="raw" type="string" string="%%rawmsg%%\n")
action(type="omfile" file="%[1]s/received" template="raw")
`, s.home, mode, port)
	s.must(os.WriteFile(filepath.Join(s.home, "rsyslog.conf"), []byte(config), 0o600))
	return s
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Start starts it, or starts it again. It ends with the test.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.Command(program, "-n", "-i", filepath.Join(s.home, "pid"), "-f", filepath.Join(s.home, "rsyslog.conf"))
	s.cmd.Stdout, s.cmd.Stderr = s.said, s.said
	before := s.starts()
	s.must(s.cmd.Start())
	s.t.Cleanup(s.Stop)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		// It has its file open before the first connection: else that may get the number of a
		// socket that is closed a second time, and what is written to it goes into the next one.
		if s.starts() > before && s.answers() {
			return
		}
	}
	s.t.Fatalf("rsyslogd does not answer within a minute: %s", s.said)
}

// starts counts how often it wrote down that it begins.
func (s *Server) starts() int { return strings.Count(s.wrote(), "[origin software=\"rsyslogd\"") }

// wrote is all that it wrote down.
func (s *Server) wrote() string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.home, "received"))
	if os.IsNotExist(err) {
		return ""
	}
	s.must(err)
	return string(data)
}

// answers tells whether it takes connections. It is left in order: rsyslog 8.2302 closes
// the socket of one that ends before its handshake twice, and so another's.
func (s *Server) answers() bool {
	ca, err := os.ReadFile(filepath.Join(s.home, "ca.crt"))
	s.must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	own, err := tls.LoadX509KeyPair(filepath.Join(s.home, "tls.crt"), filepath.Join(s.home, "tls.key"))
	s.must(err)
	conn, err := tls.Dial("tcp", s.Address, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return false
	}
	defer conn.Close() // both sides have ended
	if err := conn.CloseWrite(); err != nil {
		return false
	}
	_, err = io.ReadAll(conn)
	return err == nil
}

// Stop ends it; what it has taken is in its file then.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("rsyslogd ended with %v: %s", err, s.said)
	}
	s.cmd = nil
}

// Received are the messages that it wrote down, in their order; its own, which have no
// version of the protocol (RFC 5424, section 6.2.2), are left out.
func (s *Server) Received() []string {
	s.t.Helper()
	var whole []string
	for line := range strings.Lines(s.wrote()) {
		if message, ends := strings.CutSuffix(line, "\n"); ends && ofSyslog.MatchString(message) {
			whole = append(whole, message)
		}
	}
	return whole
}

// ofSyslog is how a message begins.
var ofSyslog = regexp.MustCompile(`^<[0-9]+>1 `)

// Wait waits until it wrote so many messages down.
func (s *Server) Wait(count int) []string {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got := s.Received(); len(got) >= count {
			return got
		}
	}
	s.t.Fatalf("%d messages came within a minute, want %d: %s", len(s.Received()), count, s.said)
	return nil
}

// Authority signs certificates.
type Authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes one that nobody knows.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	var der []byte
	a.key, der = a.sign(a.cert, a.cert, nil)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a certificate; without a key of the parent's it signs itself.
func (a *Authority) sign(cert, parent *x509.Certificate, by *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), by)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, der
}

// Write writes the authority's ca.crt into a folder, and tls.crt and tls.key for a name.
func (a *Authority) Write(folder, name string) {
	a.t.Helper()
	key, der := a.sign(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, a.cert, a.key)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		"ca.crt": {Type: "CERTIFICATE", Bytes: a.cert.Raw}, "tls.crt": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(filepath.Join(folder, file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
}
