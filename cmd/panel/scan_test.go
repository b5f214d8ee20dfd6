package main

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
)

// putClient makes a certificate by which somebody signs in, and writes its files.
func (s signer) putClient(t *testing.T, folder, name string) *x509.Certificate {
	t.Helper()
	leaf, err := s.IssueClient(time.Now(), authority.Lifetime, pkix.Name{CommonName: name})
	must(t, err)
	cert, key, err := authority.Encode(leaf)
	must(t, err)
	for file, data := range map[string][]byte{"tls.crt": cert, "tls.key": key, "ca.crt": s.pem} {
		must(t, os.WriteFile(filepath.Join(folder, file), data, 0o600))
	}
	return leaf.Leaf
}

// listening is a scanner that says of everything that it is harmless, and by TLS who asked last.
type listening struct {
	at    string
	asked chan *x509.Certificate
}

func (s signer) scanner(t *testing.T) *listening {
	t.Helper()
	leaf, err := s.Issue(time.Now(), "127.0.0.1")
	must(t, err)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*leaf}, ClientAuth: tls.RequestClientCert})
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	d := &listening{at: "tls://" + listener.Addr().String(), asked: make(chan *x509.Certificate, 1)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := io.ReadFull(conn, make([]byte, len("zINSTREAM\x00"))); err == nil {
				var who *x509.Certificate
				if shown := conn.(*tls.Conn).ConnectionState().PeerCertificates; len(shown) > 0 {
					who = shown[0]
				}
				d.asked <- who
				_, _ = io.WriteString(conn, "stream: OK\x00")
			}
			_ = conn.Close()
		}
	}()
	return d
}

func TestThePanelSignsInToAScannerWithTheCertificateOfNow(t *testing.T) {
	ours, another, folder := newSigner(t), newSigner(t), t.TempDir()
	d := ours.scanner(t)
	open := func(o scanOptions) func() error {
		o.action, o.largest = actionReport, "1Mi"
		by, err := o.open(slog.New(slog.DiscardHandler))
		must(t, err)
		return func() error {
			_, err := by.Scanner.Scan(t.Context(), strings.NewReader("harmless"))
			return err
		}
	}
	if open(scanOptions{address: d.at})() == nil {
		t.Error("an authority that is not the system's was believed")
	}
	scan := open(scanOptions{address: d.at, certificates: folder})
	if scan() == nil {
		t.Error("without an authority somebody was believed")
	}
	must(t, os.WriteFile(filepath.Join(folder, "ca.crt"), ours.pem, 0o600))
	must(t, scan())
	if who := <-d.asked; who != nil {
		t.Errorf("with the authority alone it was %s who asked", who.Subject)
	}
	want := ours.putClient(t, folder, "kubepanel-panel")
	must(t, scan())
	if who := <-d.asked; who == nil || !who.Equal(want) {
		t.Error("it came, and was not shown")
	}
	elsewhere := t.TempDir()
	another.putClient(t, elsewhere, "kubepanel-panel")
	if open(scanOptions{address: d.at, certificates: elsewhere})() == nil {
		t.Error("a scanner of another authority was believed")
	}
}

func TestSettingsOfScannersThatCanNotBe(t *testing.T) {
	for name, o := range map[string]scanOptions{
		"certificates without TLS": {address: "tcp://clamd:3310", certificates: "/etc/x", action: actionReport, largest: "1Mi"},
		"no such action":           {address: "tls://clamd:3310", action: "burn", largest: "1Mi"},
		"no size":                  {address: "tls://clamd:3310", action: actionReport, largest: "large"},
		"no address":               {address: "clamd:3310", action: actionReport, largest: "1Mi"},
	} {
		if _, err := o.open(slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
