// Package vitalstest reads metrics as Prometheus does. It must never be imported by
// anything but tests.
package vitalstest

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/vitals"
)

// Reader asks programs of a platform in that namespace whose authority that is. It asks
// without compression, which would cost the program more than the answer.
func Reader(t testing.TB, ca *authority.Authority, namespace string) *http.Client {
	t.Helper()
	shown, err := ca.IssueClient(time.Now(), authority.Lifetime, vitals.Reader())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert)
	return Client(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: vitals.Host(namespace), Certificates: []tls.Certificate{*shown}})
}

// Client speaks TLS in that way.
func Client(config *tls.Config) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableCompression: true, TLSClientConfig: config}, Timeout: 10 * time.Second}
}
