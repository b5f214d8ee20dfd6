package store_test

import (
	"os"
	"path/filepath"
	"testing"
)

// SQLite is given the file as a URI, in which these characters mean something else:
// the database would lie in another file, and without what keeps it whole.
func TestAFileIsOpenedWhateverItsName(t *testing.T) {
	for _, name := range []string{"a#b.db", "a?mode=memory", "a%41.db", "a b&c=d.db", "ä.db"} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			db := open(t, "sqlite:"+filepath.Join(folder, name))
			defer db.Close()
			if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
				files, _ := os.ReadDir(folder)
				t.Errorf("%v; the folder has %v", err, files)
			}
		})
	}
}
