package build

import (
	"os"
	"path/filepath"
	"testing"
)

func TestKeysTellListsOfFactsApart(t *testing.T) {
	lists := map[string][]string{
		"one fact":     {"ab"},
		"split":        {"a", "b"},
		"with nothing": {"a", "", "b"},
		"like lengths": {"1:a,1:b"},
		"none":         {},
		"empty fact":   {""},
	}
	seen := map[key]string{}
	for about, facts := range lists {
		w := newKey()
		w.add(facts...)
		k := w.sum()
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have the same key", about, other)
		}
		seen[k] = about
	}
}

func TestFolderKeyChangesWithWhatIsBuiltAndNothingElse(t *testing.T) {
	tests := map[string]struct {
		change func(t *testing.T, dir string)
		same   bool
	}{
		"content":       {change: write("main.go", "package main // other", 0o644)},
		"a new file":    {change: write("more.go", "", 0o644)},
		"executable":    {change: func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, "main.go"), 0o755)) }},
		"name":          {change: rename("main.go", "other.go")},
		"moved":         {change: rename("main.go", "sub/main.go")},
		"a test":        {change: write("main_test.go", "package main", 0o644), same: true},
		"readable bits": {change: func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, "main.go"), 0o600)) }, same: true},
		"a link":        {change: func(t *testing.T, dir string) { must(t, os.Symlink("main.go", filepath.Join(dir, "link"))) }},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
			write("main.go", "package main", 0o644)(t, dir)
			before := folderKey(t, dir)
			test.change(t, dir)
			if same := folderKey(t, dir) == before; same != test.same {
				t.Errorf("same key = %t, want %t", same, test.same)
			}
		})
	}
}

func folderKey(t *testing.T, dir string) key {
	t.Helper()
	w := newKey()
	must(t, w.addFolder(dir))
	return w.sum()
}

func write(name, text string, mode os.FileMode) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), mode))
	}
}

func rename(from, to string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		must(t, os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
