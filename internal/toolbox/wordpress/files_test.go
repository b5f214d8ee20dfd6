package wordpress_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/toolbox/toolboxtest"
	"kubepanel.io/kubepanel/internal/toolbox/wordpress"
)

func TestMain(m *testing.M) { toolboxtest.Main(m) }

// source makes a small tree in the shape of WordPress.
func source(t *testing.T) wordpress.Files {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"from/index.php": "<?php // index", "from/wp-load.php": "<?php // load", "from/wp-settings.php": "<?php // settings",
		"from/wp-includes/version.php": "<?php $wp_version = '6.8';", "from/wp-content/themes/t/style.css": "/* t */",
		"from/wp-content/index.php": "<?php", "languages/de_DE.mo": "de", "languages/admin-de_DE.mo": "admin de", "languages/fr_FR.mo": "fr",
		"object-cache.php": "<?php\n/**\n * Plugin Name: Kubepanel Object Cache\n */",
	} {
		write(t, filepath.Join(dir, name), content)
	}
	blocks(t, filepath.Join(dir, "from"), 60)
	return wordpress.Files{
		From: filepath.Join(dir, "from"), To: filepath.Join(dir, "www/html"), Languages: filepath.Join(dir, "languages"),
		DropIn: filepath.Join(dir, "object-cache.php"), Log: slog.New(slog.DiscardHandler),
	}
}

// blocks adds files.
func blocks(t *testing.T, dir string, count int) {
	t.Helper()
	for i := range count {
		write(t, filepath.Join(dir, fmt.Sprintf("wp-includes/blocks/b%d/block%d.php", i%50, i)), strings.Repeat("x", i))
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree is all files below a folder, with their content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		content, err := os.ReadFile(path)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// complete fails unless the document root holds all of WordPress and nothing else.
func complete(t *testing.T, f wordpress.Files) {
	t.Helper()
	got, want := tree(t, f.To), tree(t, f.From)
	if _, ok := got["wp-config.php"]; !ok {
		t.Error("there is no wp-config.php")
	}
	delete(got, "wp-config.php")
	if !maps.Equal(got, want) {
		t.Errorf("%d files, want the source's %d", len(got), len(want))
	}
	if _, err := os.Stat(filepath.Join(f.To, ".kubepanel-wordpress")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the staging folder is left")
	}
}

func put(t *testing.T, f wordpress.Files) {
	t.Helper()
	if err := f.Put(); err != nil {
		t.Fatal(err)
	}
}

func TestAnEmptyDocumentRootGetsWordPress(t *testing.T) {
	f := source(t)
	if err := os.MkdirAll(filepath.Join(f.To, "lost+found"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, f)
	complete(t, f)
}

func TestASecondRunChangesNothing(t *testing.T) {
	f := source(t)
	put(t, f)
	write(t, filepath.Join(f.To, "index.php"), "mine")
	write(t, filepath.Join(f.To, "wp-config.php"), "mine")
	if err := os.Remove(filepath.Join(f.To, "wp-load.php")); err != nil {
		t.Fatal(err)
	}
	before := tree(t, f.To)
	put(t, f)
	if after := tree(t, f.To); !maps.Equal(before, after) {
		t.Error("a customer's change was undone")
	}
}

func TestOtherFilesAreNeverMixedWithWordPress(t *testing.T) {
	f := source(t)
	write(t, filepath.Join(f.To, "index.html"), "my own page")
	err := f.Put()
	if _, ok := errors.AsType[*wordpress.ForeignError](err); !ok || !strings.Contains(err.Error(), "index.html") {
		t.Fatalf("Put = %v, want a ForeignError that names index.html", err)
	}
	if got := tree(t, f.To); len(got) != 1 || got["index.html"] != "my own page" {
		t.Errorf("the document root changed: %d files", len(got))
	}
}

func TestAConfigurationAboveTheDocumentRootCounts(t *testing.T) {
	f := source(t)
	write(t, filepath.Join(filepath.Dir(f.To), "wp-config.php"), "mine")
	put(t, f)
	if _, err := os.Stat(filepath.Join(f.To, "wp-config.php")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat = %v, want no second configuration", err)
	}
}

func TestWhatAPowerCutLeftEmptyIsMended(t *testing.T) {
	f := source(t)
	put(t, f)
	empty := func(names ...string) {
		for _, name := range names {
			write(t, filepath.Join(f.To, name), "")
		}
	}
	empty("wp-config.php", "wp-includes/version.php", "wp-includes/blocks/b7/block57.php", "index.php")
	put(t, f)
	complete(t, f)
	if tree(t, f.To)["wp-config.php"] == "" {
		t.Error("wp-config.php is still empty")
	}
	// After an update of WordPress's own, our files are the wrong ones.
	write(t, filepath.Join(f.To, "wp-includes/version.php"), "<?php $wp_version = '7.0';")
	empty("index.php")
	put(t, f)
	if got := tree(t, f.To)["index.php"]; got != "" {
		t.Errorf("index.php of another version became %q", got)
	}
}

func TestSaltsAreFreshAndDifferent(t *testing.T) {
	salts := map[string]bool{}
	for range 2 {
		f := source(t)
		put(t, f)
		text := tree(t, f.To)["wp-config.php"]
		for _, m := range regexp.MustCompile(`(?:KEY|SALT)', '([A-Z0-9]+)'`).FindAllStringSubmatch(text, -1) {
			if len(m[1]) < 40 || salts[m[1]] {
				t.Errorf("salt %q is short or used before", m[1])
			}
			salts[m[1]] = true
		}
	}
	if len(salts) != 16 {
		t.Errorf("%d salts, want 16", len(salts))
	}
}

func TestOnlyTheWantedLanguageIsInstalled(t *testing.T) {
	tests := map[string]struct {
		locale string
		want   []string
		err    bool
	}{
		"English":          {locale: "en_US"},
		"German":           {locale: "de_DE", want: []string{"admin-de_DE.mo", "de_DE.mo"}},
		"none in image":    {locale: "pt_BR"},
		"path as language": {locale: "../../etc", err: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := source(t)
			f.Locale = test.locale
			if err := f.Put(); (err != nil) != test.err {
				t.Fatalf("Put = %v, want an error: %v", err, test.err)
			}
			entries, _ := os.ReadDir(filepath.Join(f.To, "wp-content/languages"))
			var got []string
			for _, e := range entries {
				got = append(got, e.Name())
			}
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Errorf("languages = %v, want %v", got, test.want)
			}
		})
	}
}

func TestTheObjectCacheComesAndGoes(t *testing.T) {
	f := source(t)
	path := filepath.Join(f.To, "wp-content/object-cache.php")
	f.ObjectCache = true
	put(t, f)
	if got := tree(t, f.To)["wp-content/object-cache.php"]; !strings.Contains(got, "Kubepanel") {
		t.Errorf("object-cache.php = %q", got)
	}
	f.ObjectCache = false
	put(t, f)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat = %v, want none", err)
	}
	write(t, path, "<?php // another plugin's")
	for _, on := range []bool{true, false} {
		f.ObjectCache = on
		put(t, f)
		if got := tree(t, f.To)["wp-content/object-cache.php"]; got != "<?php // another plugin's" {
			t.Errorf("wanted = %v: the customer's object cache became %q", on, got)
		}
	}
}

// Whatever somebody puts at names that are read, the site starts, and what is not ours stays.
func TestWhatIsNoSmallPlainFileHoldsNoStart(t *testing.T) {
	pipe := func(name string) error { return syscall.Mkfifo(name, 0o600) }
	for what, test := range map[string]struct {
		name string
		make func(name string) error
	}{
		"a pipe":   {"wp-content/object-cache.php", pipe},
		"a folder": {"wp-content/object-cache.php", func(name string) error { return os.Mkdir(name, 0o755) }},
		"a socket": {"wp-content/object-cache.php", func(name string) error { return syscall.Mknod(name, syscall.S_IFSOCK|0o600, 0) }},
		"a pipe behind": {"wp-content/object-cache.php", func(name string) error {
			return errors.Join(pipe(name+".pipe"), os.Symlink("object-cache.php.pipe", name))
		}},
		"a huge file": {"wp-content/object-cache.php", func(name string) error {
			return errors.Join(os.WriteFile(name, []byte("<?php // Plugin Name: Kubepanel Object Cache"), 0o600), os.Truncate(name, 64<<20))
		}},
		"a version's pipe": {"wp-includes/version.php", pipe},
	} {
		t.Run(what, func(t *testing.T) {
			f := source(t)
			put(t, f)
			name := filepath.Join(f.To, test.name)
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := test.make(name); err != nil {
				t.Fatal(err)
			}
			was, err := os.Lstat(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, f.ObjectCache = range []bool{true, false} {
				ended := make(chan error, 1)
				go func() { ended <- f.Put() }()
				select {
				case err := <-ended:
					if err != nil {
						t.Errorf("Put = %v", err)
					}
				case <-time.After(20 * time.Second):
					t.Fatal("Put waits for it")
				}
			}
			if is, err := os.Lstat(name); err != nil || !os.SameFile(is, was) {
				t.Errorf("there is %v, %v, and not what was there", is, err)
			}
		})
	}
}

func TestALinkOutOfTheDocumentRootIsNotFollowed(t *testing.T) {
	f := source(t)
	put(t, f)
	outside := t.TempDir()
	if err := os.RemoveAll(filepath.Join(f.To, "wp-content")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(f.To, "wp-content")); err != nil {
		t.Fatal(err)
	}
	f.ObjectCache = true
	if err := f.Put(); err == nil {
		t.Error("wrote through a link")
	}
	if got := tree(t, outside); len(got) != 0 {
		t.Errorf("outside = %v", got)
	}
}

// TestARunThatIsKilledLeavesNothingHalf kills the real program at many moments
// and lets the next run finish.
func TestARunThatIsKilledLeavesNothingHalf(t *testing.T) {
	program := toolboxtest.Program(t)
	f := source(t)
	blocks(t, f.From, 1000) // so that a copy takes a moment
	run := func(limit time.Duration) (string, error) {
		cmd := exec.Command(program, "wordpress", "files", "--from="+f.From, "--to="+f.To, "--languages="+f.Languages, "--settings=/nonexistent")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		err := cmd.Wait()
		return stderr.String(), err
	}
	begin := time.Now()
	if out, err := run(time.Minute); err != nil {
		t.Fatalf("run: %v\n%s", err, out)
	}
	whole := time.Since(begin)
	for i := range 12 {
		if err := os.RemoveAll(f.To); err != nil {
			t.Fatal(err)
		}
		_, _ = run(whole * time.Duration(i) / 10)
		if out, err := run(time.Minute); err != nil {
			t.Fatalf("run after a kill at %d/10: %v\n%s", i, err, out)
		}
		complete(t, f)
	}
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"url":"https://a.example","locale":"de_DE"}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := wordpress.ParseSettings(text)
		if err != nil && s != (wordpress.Settings{}) {
			t.Errorf("ParseSettings(%q) = %v with an error", text, s)
		}
	})
}
