package edge_test

import (
	"crypto/tls"
	"net/http"
	"testing"
)

// OWASP ASVS 5.0, 12.1.1 and 12.1.2.
func TestOldTLSIsRefused(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", echo)
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)
	shake := func(version uint16, suites ...uint16) error {
		conn, err := tls.Dial("tcp", s.config.HTTPSListen, &tls.Config{
			RootCAs: s.root, ServerName: "shop.test", MinVersion: tls.VersionTLS10, MaxVersion: version, CipherSuites: suites,
		})
		if err == nil {
			conn.Close()
		}
		return err
	}
	for name, tt := range map[string]struct {
		version uint16
		suites  []uint16
		taken   bool
	}{
		"TLS 1.1":                          {tls.VersionTLS11, nil, false},
		"TLS 1.2":                          {tls.VersionTLS12, nil, true},
		"TLS 1.3":                          {tls.VersionTLS13, nil, true},
		"without forward secrecy":          {tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, false},
		"without authenticated encryption": {tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}, false},
		"with both":                        {tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, true},
	} {
		if err := shake(tt.version, tt.suites...); (err == nil) != tt.taken {
			t.Errorf("%s: handshake = %v, want one: %v", name, err, tt.taken)
		}
	}
}
