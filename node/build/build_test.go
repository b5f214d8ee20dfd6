package build

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// newCheckout makes a small checkout with a main module, on a state folder of its own.
func newCheckout(t *testing.T) (root, state string) {
	t.Helper()
	root, state = t.TempDir(), filepath.Join(t.TempDir(), "state")
	for name, text := range map[string]string{
		"go.mod":                             "module example.com/checkout\n\ngo 1.26\n",
		"go.sum":                             "",
		"cmd/kubepanel/main.go":              "package main\n\nimport \"example.com/checkout/internal/greeting\"\n\nfunc main() { println(greeting.Text) }\n",
		"cmd/toolbox/main.go":                "package main\n\nfunc main() {}\n",
		"library/go.mod":                     "module example.com/library\n\ngo 1.21\n",
		"library/library.go":                 "package library\n",
		"internal/greeting/greeting.go":      "package greeting\n\nimport _ \"embed\"\n\n//go:embed text\nvar Text string\n",
		"internal/greeting/text":             "hello",
		"internal/greeting/greeting_test.go": "package greeting\n",
		"images/images.yaml":                 "debian: today\nimages:\n  - {name: greeting, version: \"1\", args: {WHO: you}, binaries: {kubepanel: [kubepanel]}}\n",
		"images/greeting/Containerfile":      "ARG BASE\nFROM ${BASE}\nARG WHO\nLABEL who=${WHO}\nCOPY bin/kubepanel /greeting\n",
	} {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return root, state
}

// builds runs one build and returns the folder and the lines it logged.
func builds(t *testing.T, root, state, component string) (folder, log string) {
	t.Helper()
	var lines bytes.Buffer
	b, err := Open(Options{Root: root, State: state, Log: &lines})
	must(t, err)
	folders, err := b.Binaries(t.Context(), component)
	must(t, err)
	return folders[component], lines.String()
}

func TestAProgramIsBuiltAnewOnlyWhenWhatItIsMadeOfChanges(t *testing.T) {
	root, state := newCheckout(t)
	first, log := builds(t, root, state, "kubepanel")
	if !strings.HasPrefix(log, "built kubepanel in ") {
		t.Fatalf("log = %q, want that it was built", log)
	}
	said, err := exec.CommandContext(t.Context(), filepath.Join(first, "kubepanel")).CombinedOutput()
	if err != nil || strings.TrimSpace(string(said)) != "hello" {
		t.Fatalf("the program says %q, %v", said, err)
	}
	const withLibrary = "\n\nrequire example.com/library v0.0.0\n\nreplace example.com/library => ./library\n"
	steps := []struct {
		about, file, text string
		anew              bool
	}{
		{"nothing", "", "", false},
		{"a test", "internal/greeting/greeting_test.go", "package greeting // more\n", false},
		{"another program", "cmd/toolbox/main.go", "package main\n\nfunc main() { println() }\n", false},
		{"an embedded file", "internal/greeting/text", "good day", true},
		{"a package", "internal/greeting/more.go", "package greeting\n\nconst More = 1\n", true},
		{"back again", "internal/greeting/text", "hello", true},
		{"the libraries of another program", "go.mod", "module example.com/checkout\n\ngo 1.26" + withLibrary, false},
		{"a library of its own", "internal/greeting/more.go", "package greeting\n\nimport _ \"example.com/library\"\n", true},
		{"that library", "library/library.go", "package library\n\nconst New = 1\n", true},
		{"the language", "go.mod", "module example.com/checkout\n\ngo 1.25" + withLibrary, true},
	}
	last := first
	for _, step := range steps {
		if step.file != "" {
			must(t, os.WriteFile(filepath.Join(root, step.file), []byte(step.text), 0o644))
		}
		folder, log := builds(t, root, state, "kubepanel")
		if anew := folder != last; anew != step.anew || strings.Contains(log, "cached") == step.anew {
			t.Errorf("after a change of %s: built anew = %t, want %t; log %q", step.about, anew, step.anew, log)
		}
		last = folder
	}
}

func TestAProgramThatDoesNotCompileLeavesNothingAndSaysWhy(t *testing.T) {
	root, state := newCheckout(t)
	must(t, os.WriteFile(filepath.Join(root, "cmd/toolbox/main.go"), []byte("package main\n\nfunc main() { missing() }\n"), 0o644))
	b, err := Open(Options{Root: root, State: state})
	must(t, err)
	_, err = b.Binaries(t.Context(), "toolbox")
	if err == nil || !strings.Contains(err.Error(), "undefined: missing") {
		t.Errorf("Binaries = %v, want what the compiler says", err)
	}
	for _, dir := range []string{KindBinaries, "tmp"} {
		if left := entries(t, filepath.Join(state, "cache", dir)); len(left) != 0 {
			t.Errorf("%s holds %v, want nothing", dir, left)
		}
	}
}

func TestAnUnknownComponentIsRefused(t *testing.T) {
	root, state := newCheckout(t)
	b, err := Open(Options{Root: root, State: state})
	must(t, err)
	if _, err := b.Binaries(t.Context(), "perl"); err == nil || !strings.Contains(err.Error(), "perl") {
		t.Errorf("Binaries = %v, want an error about perl", err)
	}
}

// The image is built by the real buildah, which needs root.
func TestAnImageIsBuiltOnceAndHoldsItsProgram(t *testing.T) {
	needsRoot(t)
	root, state := newCheckout(t)
	var log bytes.Buffer
	b, err := Open(Options{Root: root, State: state, Log: &log})
	must(t, err)
	images, err := b.Images(t.Context())
	must(t, err)
	if len(images) != 1 || !strings.HasPrefix(images[0].Ref, "kubepanel.io/greeting:1-") {
		t.Fatalf("Images = %+v", images)
	}
	files := untar(t, images[0].Archive)
	if !bytes.Contains(files["index.json"], []byte(images[0].Ref)) {
		t.Errorf("index.json = %s, want %s in it", files["index.json"], images[0].Ref)
	}
	labelled := false
	for _, content := range files {
		labelled = labelled || bytes.Contains(content, []byte(`"who":"you"`))
	}
	if !labelled {
		t.Error("no label in the image: the build argument did not arrive")
	}
	again, err := b.Images(t.Context(), "greeting:1")
	must(t, err)
	if again[0].Ref != images[0].Ref || !strings.Contains(log.String(), "greeting:1: cached") {
		t.Errorf("second run gives %s, log %q, want the cached one", again[0].Ref, log.String())
	}
	if _, err := os.Stat(filepath.Join(state, "build")); !os.IsNotExist(err) {
		t.Errorf("buildah's store is still there: %v", err)
	}
}

// A run that was killed leaves its mounts; the next one takes them down.
func TestTheStoreClearsMountsOfAnEarlierRun(t *testing.T) {
	needsRoot(t)
	dir := filepath.Join(t.TempDir(), "build")
	inner := filepath.Join(dir, "root", "overlay", "merged")
	must(t, os.MkdirAll(inner, 0o755))
	must(t, syscall.Mount("left", inner, "tmpfs", 0, ""))
	deeper := filepath.Join(inner, "proc")
	must(t, os.Mkdir(deeper, 0o755))
	must(t, syscall.Mount("left", deeper, "tmpfs", 0, ""))
	s, err := openStorage(dir)
	must(t, err)
	if left := entries(t, filepath.Join(dir, "root")); len(left) != 0 {
		t.Errorf("the store holds %v, want nothing", left)
	}
	s.close()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	must(t, err)
	if bytes.Contains(mounts, []byte(dir)) {
		t.Error("there are still mounts below the store")
	}
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root; `make test` runs as root")
	}
}
