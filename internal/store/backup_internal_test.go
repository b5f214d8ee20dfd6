package store

import (
	"path/filepath"
	"testing"
)

// A table that a backup neither has nor leaves out on purpose is lost with the database.
func TestEveryTableIsInABackupOrLeftOutOnPurpose(t *testing.T) {
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "panel.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	known := map[string]bool{"goose_db_version": true}
	for _, name := range leftOut {
		known[name] = true
	}
	for _, table := range tables() {
		if known[table.name] {
			t.Errorf("%s is both in a backup and left out", table.name)
		}
		known[table.name] = true
	}
	rows, err := db.write.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !known[name] {
			t.Errorf("%s is in no backup: add it to tables, or to leftOut with the reason", name)
		}
		delete(known, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for name := range known {
		t.Errorf("%s is no table", name)
	}
}
