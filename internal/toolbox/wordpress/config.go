package wordpress

import (
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed wp-config.php.txt
var configTemplate string

// saltNames are the keys and salts that WordPress signs cookies with.
var saltNames = []string{
	"AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY",
	"AUTH_SALT", "SECURE_AUTH_SALT", "LOGGED_IN_SALT", "NONCE_SALT",
}

// saltsMark stands in the template where the salts go.
const saltsMark = "//SALTS//\n"

// config writes wp-config.php when there is none.
func (f Files) config(root *os.Root) error {
	if exists(root, configName) && !isEmpty(root, configName) || configAbove(f.To) {
		return nil
	}
	// 0640: nobody but the site's own identity has business with it.
	if err := writeWhole(root, configName, newConfig(), 0o640); err != nil {
		return fmt.Errorf("write %s: %w", configName, err)
	}
	f.Log.Info("wrote the configuration", "file", filepath.Join(f.To, configName))
	return nil
}

// configAbove: WordPress also takes the file from the folder above, if that is
// no WordPress itself (wp-load.php).
func configAbove(root string) bool {
	above := filepath.Dir(root)
	_, config := os.Stat(filepath.Join(above, configName))
	_, loader := os.Stat(filepath.Join(above, loaderName))
	return config == nil && errors.Is(loader, fs.ErrNotExist)
}

// newConfig is a wp-config.php with fresh salts. Everything else that differs
// between sites is read when it runs, so a changed password needs no new file.
func newConfig() string {
	var b strings.Builder
	for _, name := range saltNames {
		fmt.Fprintf(&b, "define( '%s', '%s' );\n", name, salt())
	}
	return strings.Replace(configTemplate, saltsMark, b.String(), 1)
}

// salt is 260 bits of chance, all letters and digits, so nothing needs quoting.
func salt() string { return rand.Text() + rand.Text() }

// writeWhole writes a file so that it is there as a whole or not at all.
func writeWhole(root *os.Root, name, content string, mode fs.FileMode) error {
	part := filepath.Join(filepath.Dir(name), ".kubepanel-"+filepath.Base(name))
	if err := root.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := root.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return root.Rename(part, name)
}

// locale is how WordPress names languages: de_DE, de_DE_formal, ja, pt_PT_ao90.
var locale = regexp.MustCompile(`^[a-z]{2,3}(_[A-Z]{2})?(_[a-z0-9]{2,12})?$`)

// language copies the translations of the wanted language. Without them the
// site speaks English and WordPress's own updates can fetch them.
func (f Files) language(root *os.Root) error {
	if f.Locale == "" || f.Locale == "en_US" || f.Languages == "" {
		return nil
	}
	if !locale.MatchString(f.Locale) {
		return fmt.Errorf("language %q is none: WordPress names them like de_DE", f.Locale)
	}
	if main := "wp-content/languages/" + f.Locale + ".mo"; exists(root, main) && !isEmpty(root, main) {
		return nil
	}
	entries, err := os.ReadDir(f.Languages)
	if err != nil {
		return fmt.Errorf("list the languages: %w", err)
	}
	if err := root.MkdirAll("wp-content/languages", 0o755); err != nil {
		return fmt.Errorf("make a folder for the language: %w", err)
	}
	// The main file comes last: its presence says that all are there.
	found := false
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, "-"+f.Locale+".mo") {
			if err := f.translation(root, name); err != nil {
				return err
			}
		}
		found = found || e.Name() == f.Locale+".mo"
	}
	if !found {
		f.Log.Warn("no translation in the image: the site starts in English", "language", f.Locale)
		return nil
	}
	return f.translation(root, f.Locale+".mo")
}

func (f Files) translation(root *os.Root, name string) error {
	content, err := os.ReadFile(filepath.Join(f.Languages, name))
	if err != nil {
		return fmt.Errorf("read translation: %w", err)
	}
	if err := writeWhole(root, "wp-content/languages/"+name, string(content), 0o644); err != nil {
		return fmt.Errorf("write translation: %w", err)
	}
	return nil
}
