package store

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgconn"
)

// encrypted returns the address of a server with the way to it decided. libpq's default,
// sslmode=prefer, speaks in clear with whoever says that it can't do TLS, also with one in
// the server's place; over a network the default is verify-full here. disable is taken as
// it is written, and on this computer nothing is asked for.
func encrypted(address string) (string, error) {
	config, err := pgconn.ParseConfig(address)
	if err != nil {
		return "", fmt.Errorf("read the database's address: %w", err) // without its password
	}
	if !undecided(config) {
		return address, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("read the database's address: it is no URL") // whose error has the password
	}
	asked := u.Query()
	if mode := asked.Get("sslmode"); mode != "" || os.Getenv("PGSSLMODE") != "" {
		return "", fmt.Errorf("sslmode=%s speaks in clear with whoever stands in the database's place; write verify-full, or disable where nobody can",
			cmp.Or(mode, os.Getenv("PGSSLMODE")))
	}
	asked.Set("sslmode", "verify-full")
	u.RawQuery = asked.Encode()
	decided := u.String()
	if config, err = pgconn.ParseConfig(decided); err != nil || undecided(config) { // it is read in another way there
		return "", errors.New("read the database's address: write sslmode=verify-full into it, or disable where nobody else can listen")
	}
	return decided, nil
}

// undecided tells whether some way over a network is tried both by TLS and in clear.
func undecided(config *pgconn.Config) bool {
	secret, clear := config.TLSConfig != nil, away(config.Host) && config.TLSConfig == nil
	for _, way := range config.Fallbacks {
		secret = secret || way.TLSConfig != nil
		clear = clear || away(way.Host) && way.TLSConfig == nil
	}
	return secret && clear
}

// away tells whether a host is another computer, and not this one or a socket's folder.
func away(host string) bool {
	ip := net.ParseIP(host)
	return !filepath.IsAbs(host) && host != "localhost" && (ip == nil || !ip.IsLoopback())
}
