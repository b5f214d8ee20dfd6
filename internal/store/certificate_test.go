package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/store"
	"kubepanel.io/kubepanel/internal/store/postgrestest"
)

// holder has a key and a certificate: an authority, a server, or who signs in.
type holder struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// signed makes a holder whom that authority signed until end; one without is its own.
func signed(t *testing.T, name string, by *holder, end time.Time) *holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end, IsCA: by == nil, BasicConstraintsValid: true,
	}
	if by == nil {
		by = &holder{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	return &holder{certificate, key}
}

func (h *holder) pem(t *testing.T) (certificate, key []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(h.key)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.certificate.Raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// write puts a holder's files where the address names them.
func (h *holder) write(t *testing.T, dir string) {
	t.Helper()
	certificate, key := h.pem(t)
	must(t, os.WriteFile(filepath.Join(dir, "tls.crt"), certificate, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "tls.key"), key, 0o600))
}

// The driver reads the address's files anew for each connection, so a certificate that
// lives for hours needs no restart. Who has the password alone is not let in.
func TestPanelSignsInByACertificateThatIsRenewed(t *testing.T) {
	secret, later := key(1), time.Now().Add(time.Hour)
	authority := signed(t, "authority", nil, later)
	shown, key := signed(t, "127.0.0.1", authority, later).pem(t)
	ca, _ := authority.pem(t)
	server, err := postgrestest.StartCertified(proctest.Port(t), postgrestest.Certificates{Certificate: shown, Key: key, Clients: ca})
	must(t, err)
	t.Cleanup(server.Stop)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "ca.crt"), ca, 0o600))
	// As the chart has it. The address says the rest.
	t.Setenv("PGSSLMODE", "verify-full")
	t.Setenv("PGSSLROOTCERT", filepath.Join(dir, "ca.crt"))
	address := fmt.Sprintf("postgres://kubepanel:secret@127.0.0.1:%d/postgres", server.Port)
	refused := func(who string) {
		t.Helper()
		db, err := store.Open(t.Context(), address, store.Options{Keys: [][]byte{secret}})
		if err == nil {
			db.Close()
			t.Errorf("%s was let in", who)
		}
	}
	refused("who has a password alone")
	t.Setenv("PGSSLCERT", filepath.Join(dir, "tls.crt"))
	t.Setenv("PGSSLKEY", filepath.Join(dir, "tls.key"))
	signed(t, "somebody", authority, later).write(t, dir)
	refused("who shows a certificate for another user")
	signed(t, "kubepanel", signed(t, "authority", nil, later), later).write(t, dir)
	refused("who shows a certificate of another authority")

	signed(t, "kubepanel", authority, later).write(t, dir)
	pool := open(t, address).Pools()["all"]
	pool.SetMaxIdleConns(0) // each statement has a connection of its own
	must(t, pool.PingContext(t.Context()))
	signed(t, "kubepanel", authority, time.Now().Add(-time.Minute)).write(t, dir)
	if pool.PingContext(t.Context()) == nil {
		t.Error("a certificate that ended is good still")
	}
	signed(t, "kubepanel", authority, later).write(t, dir)
	must(t, pool.PingContext(t.Context()))
}
