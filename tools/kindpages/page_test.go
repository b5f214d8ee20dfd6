package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestPagesSayWhatTheCRDSays(t *testing.T) {
	kinds, err := readKinds("testdata")
	if err != nil {
		t.Fatal(err)
	}
	intro, err := os.ReadFile("testdata/intro.md")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/page.golden.md", page(kinds[0], string(intro)))
	golden(t, "testdata/index.golden.md", index(kinds, "# Kinds\n"))
}

func TestAKindWithoutAnIntroductionIsRefused(t *testing.T) {
	docs := t.TempDir()
	if err := run("testdata", docs); err == nil {
		t.Error("run() = nil, want an error that names the missing introduction")
	}
	if left, _ := filepath.Glob(filepath.Join(docs, "*")); len(left) != 0 {
		t.Errorf("run() left %v", left)
	}
}

// The pages in the tree are what the CRDs in the tree give: nobody forgot
// `make generate`.
func TestPagesInTheTreeAreUpToDate(t *testing.T) {
	const docs = "../../docs/kinds"
	kinds, err := readKinds("../../deploy/kubepanel/files/crds")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		intro, err := readIntro(docs, fileName(kind))
		if err != nil {
			t.Fatal(err)
		}
		same(t, filepath.Join(docs, fileName(kind)), page(kind, intro))
	}
	intro, err := readIntro(docs, "README.md")
	if err != nil {
		t.Fatal(err)
	}
	same(t, filepath.Join(docs, "README.md"), index(kinds, intro))
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	same(t, path, got)
}

func same(t *testing.T, path, got string) {
	t.Helper()
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is out of date: run `make generate`, or this test with -update, and read the diff; it should be\n%s", path, got)
	}
}
