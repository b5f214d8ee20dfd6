package store

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestTheWayToAServerIsEncryptedOrSaidToBeClear(t *testing.T) {
	tests := map[string]struct{ address, environment, want, fault string }{
		"nothing said":             {address: "postgres://panel:secret@db.example/panel", want: "postgres://panel:secret@db.example/panel?sslmode=verify-full"},
		"another setting":          {address: "postgres://db.example/panel?connect_timeout=5", want: "postgres://db.example/panel?connect_timeout=5&sslmode=verify-full"},
		"two servers":              {address: "postgres://a.example,b.example/panel", want: "postgres://a.example,b.example/panel?sslmode=verify-full"},
		"by the environment":       {address: "postgres://db.example/panel", environment: "verify-ca", want: "postgres://db.example/panel"},
		"clear, and said so":       {address: "postgres://db.example/panel?sslmode=disable", want: "postgres://db.example/panel?sslmode=disable"},
		"this computer":            {address: "postgres://127.0.0.1/panel", want: "postgres://127.0.0.1/panel"},
		"this computer, IPv6":      {address: "postgres://[::1]:5433/panel", want: "postgres://[::1]:5433/panel"},
		"this computer, by name":   {address: "postgres://localhost/panel", want: "postgres://localhost/panel"},
		"a socket":                 {address: "postgres:///panel?host=/run/postgresql", want: "postgres:///panel?host=/run/postgresql"},
		"one here, one away":       {address: "postgres://localhost,db.example/panel", want: "postgres://localhost,db.example/panel?sslmode=verify-full"},
		"falls back":               {address: "postgres://panel:secret@db.example/panel?sslmode=prefer", fault: "sslmode=prefer speaks in clear"},
		"begins in clear":          {address: "postgres://db.example/panel?sslmode=allow", fault: "sslmode=allow speaks in clear"},
		"falls back by the system": {address: "postgres://db.example/panel", environment: "prefer", fault: "sslmode=prefer speaks in clear"},
		"no address":               {address: "postgres://panel:secret@db.example:port/panel", fault: "read the database's address"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PGSSLMODE", tt.environment)
			got, err := encrypted(tt.address)
			if got != tt.want || (err != nil) != (tt.fault != "") {
				t.Errorf("encrypted(%q) = %q, %v, want %q and a fault %q", tt.address, got, err, tt.want, tt.fault)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.fault) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("encrypted(%q) says %q, want %q and no password", tt.address, err, tt.fault)
			}
		})
	}
}

// FuzzEncrypted: no way over a network may be tried both by TLS and in clear.
func FuzzEncrypted(f *testing.F) {
	for _, seed := range []string{"postgres://db.example/panel", "postgres://a,b:1,[::1]/x?sslmode=allow", "postgres:///x?host=a,/b", "postgres://?ssl=true"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if !strings.HasPrefix(address, "postgres://") || strings.Contains(address, "service") || strings.Contains(address, "pass") {
			t.Skip("another address, or one that reads files")
		}
		way, err := encrypted(address)
		if err != nil {
			return
		}
		config, err := pgconn.ParseConfig(way)
		if err == nil && undecided(config) {
			t.Errorf("encrypted(%q) = %q, which may be clear", address, way)
		}
	})
}
