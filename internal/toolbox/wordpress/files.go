package wordpress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Names that matter in a document root.
const (
	configName  = "wp-config.php"
	dropInName  = "wp-content/object-cache.php"
	versionName = "wp-includes/version.php"
	loaderName  = "wp-settings.php"

	// stagingName holds a copy that is not complete yet. It lies in the document
	// root because only there a rename can't cross into another file system.
	stagingName = ".kubepanel-wordpress"
	partName    = stagingName + "/part"
	wholeName   = stagingName + "/whole"
)

// ignored may lie in a document root that still counts as empty.
var ignored = []string{stagingName, "lost+found"}

// ForeignError says that the document root holds something that is no WordPress.
type ForeignError struct {
	Root  string
	Names []string // some of what is there
}

// Error names the cause and what mends it.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s holds files but no WordPress (%s): move them away by SFTP, or set spec.wordpress.preinstall to false",
		e.Root, strings.Join(e.Names, ", "))
}

// Files is what should be in a document root. Put makes it so.
type Files struct {
	From   string // a complete WordPress without configuration
	To     string // the document root; made when missing
	Locale string // a language to install, such as de_DE; "" for American English
	// Languages holds translations that From does not have, in one folder.
	Languages string
	// DropIn is our object-cache.php; ObjectCache says whether it is wanted.
	DropIn      string
	ObjectCache bool
	Log         *slog.Logger
}

// Put brings the document root to the wanted state. It can be killed at any
// point and run again.
func (f Files) Put() error {
	if err := os.MkdirAll(f.To, 0o755); err != nil {
		return fmt.Errorf("make the document root: %w", err)
	}
	root, err := os.OpenRoot(f.To)
	if err != nil {
		return fmt.Errorf("open the document root: %w", err)
	}
	defer func() { _ = root.Close() }()
	if err := f.wordPress(root); err != nil {
		return err
	}
	if err := f.config(root); err != nil {
		return err
	}
	if err := f.language(root); err != nil {
		return err
	}
	return f.dropIn(root)
}

// wordPress copies the program's files when there are none.
func (f Files) wordPress(root *os.Root) error {
	if exists(root, wholeName) {
		// An earlier run was ended while it moved its complete copy into place.
		return f.moveIn(root)
	}
	if exists(root, versionName) || exists(root, loaderName) {
		if err := f.mend(root); err != nil {
			return fmt.Errorf("mend WordPress's files: %w", err)
		}
		return discardStaging(root)
	}
	names, err := foreign(root)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return &ForeignError{Root: f.To, Names: names}
	}
	if err := discardStaging(root); err != nil {
		return err
	}
	if err := root.MkdirAll(partName, 0o755); err != nil {
		return fmt.Errorf("make a folder for the copy: %w", err)
	}
	n, err := copyTree(f.From, filepath.Join(f.To, partName))
	if err != nil {
		return fmt.Errorf("copy WordPress: %w", err)
	}
	// From here on the copy counts as complete. Waiting for the disk would make
	// each new site wait for all others' writes; a power cut's traces are mended.
	if err := root.Rename(partName, wholeName); err != nil {
		return fmt.Errorf("complete the copy: %w", err)
	}
	f.Log.Info("copied WordPress", "files", n, "to", f.To)
	return f.moveIn(root)
}

// moveIn moves the complete copy to its place, entry by entry. The document
// root itself stays: it may be a mount point.
func (f Files) moveIn(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), wholeName)
	if err != nil {
		return fmt.Errorf("list the copy: %w", err)
	}
	for _, e := range entries {
		if exists(root, e.Name()) {
			return &ForeignError{Root: f.To, Names: []string{e.Name()}}
		}
		if err := root.Rename(wholeName+"/"+e.Name(), e.Name()); err != nil {
			return fmt.Errorf("move %s into the document root: %w", e.Name(), err)
		}
	}
	return discardStaging(root)
}

// foreign names up to three things in a document root that is not empty.
func foreign(root *os.Root) ([]string, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("list the document root: %w", err)
	}
	var names []string
	for _, e := range entries {
		if slices.Contains(ignored, e.Name()) {
			continue
		}
		if len(names) == 3 {
			return append(names, "…"), nil
		}
		names = append(names, e.Name())
	}
	return names, nil
}

// mend restores files of WordPress's own that a power cut has left empty: the
// file system may know a name for half a minute before it has the content.
func (f Files) mend(root *os.Root) error {
	if !f.sameVersion(root) {
		return nil
	}
	mended := 0
	err := filepath.WalkDir(f.From, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(f.From, path)
		if err != nil || !isEmpty(root, name) {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || len(content) == 0 {
			return err
		}
		mended++
		return writeWhole(root, name, string(content), 0o644)
	})
	if mended > 0 {
		f.Log.Warn("restored files of WordPress that were empty", "files", mended)
	}
	return err
}

// sameVersion: the files are still those that were copied. After WordPress has
// updated itself, ours are the wrong ones.
func (f Files) sameVersion(root *os.Root) bool {
	have, err := readSmall(root, versionName)
	if err != nil {
		return false
	}
	ours, err := os.ReadFile(filepath.Join(f.From, versionName))
	return err == nil && (len(have) == 0 || bytes.Equal(have, ours))
}

// maxSmall is the longest file of a site that is read, in octets. WordPress's version and
// our object cache have 14 kB at most.
const maxSmall = 1 << 20

// errNotSmall says that a name is no plain file, or one that is longer than maxSmall.
var errNotSmall = errors.New("no plain file of that size")

// readSmall reads a file whose name anybody may have given to something else: a pipe,
// whose other end never comes, or a file without an end.
func readSmall(root *os.Root, name string) ([]byte, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) { // a socket
		return nil, errNotSmall
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSmall {
		return nil, errNotSmall
	}
	return io.ReadAll(io.LimitReader(file, maxSmall)) // one that grows meanwhile is cut
}

func isEmpty(root *os.Root, name string) bool {
	info, err := root.Lstat(name)
	return err == nil && info.Mode().IsRegular() && info.Size() == 0
}

func discardStaging(root *os.Root) error {
	if err := root.RemoveAll(stagingName); err != nil {
		return fmt.Errorf("remove what an earlier run left: %w", err)
	}
	return nil
}

// exists is for names that are ours to decide on: what can't be looked at is
// taken to be there, so that nothing is ever written over it.
func exists(root *os.Root, name string) bool {
	_, err := root.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}
