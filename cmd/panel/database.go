package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store"
)

// databaseVariable names the database where its address has a password in it, which
// no argument should have.
const databaseVariable = "PANEL_DATABASE"

// database is where the panel keeps what it knows.
type database struct{ address, keys string }

func (d *database) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&d.address, "database", "sqlite:/var/lib/kubepanel-panel/panel.db", "`address` of the database; the variable "+databaseVariable+" overrides it")
	flags.StringVar(&d.keys, "keys", "/etc/kubepanel-panel", "`folder` with the file "+platform.KeyPanel+", 32 octets that encrypt secrets in the database; further files only decrypt")
}

// open opens it; observe, unless nil, is told every statement.
func (d *database) open(ctx context.Context, observe func(statement string)) (*store.DB, error) {
	keys, err := readKeys(d.keys)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, cmp.Or(os.Getenv(databaseVariable), d.address), store.Options{Keys: keys, Observe: observe})
}

// readKeys reads the key that encrypts and, behind it, those of earlier times.
func readKeys(folder string) ([][]byte, error) {
	first, err := os.ReadFile(filepath.Join(folder, platform.KeyPanel))
	if err != nil {
		return nil, fmt.Errorf("read the database's key: %w", err)
	}
	keys := [][]byte{first}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("list the database's keys: %w", err)
	}
	for _, e := range entries {
		// A mounted Secret has folders beside its files, whose names begin with a dot.
		if e.Name() == platform.KeyPanel || e.Name()[0] == '.' {
			continue
		}
		key, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read an earlier key of the database: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// provider is the rules on a database alone, for verbs that need no cluster.
func provider(db *store.DB) *hosting.Provider {
	return &hosting.Provider{Store: db, Panel: &hosting.Panel{}, Now: time.Now}
}
