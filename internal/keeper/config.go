package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FileRevision is the file of a configuration that names its revision. It changes
// with every other file; without it a configuration is never looked at twice.
const FileRevision = "revision"

const (
	// current, in the state folder, leads to the configuration that is in use.
	current = "current"
	// published is kubelet's link to the files of one moment; another moment is
	// another folder, so what is read through it is never a mixture.
	published = "..data"
	// maxConfig bounds one file: a ConfigMap has at most 1 MiB.
	maxConfig = 1 << 20
)

// config is a private copy of the mounted configuration.
type config struct{ dir, revision string }

// revision of what is mounted now; "" when there is none.
func (k *Keeper) revision() string {
	text, err := os.ReadFile(filepath.Join(k.Config, FileRevision))
	if err != nil {
		return ""
	}
	return string(text)
}

// take copies what is mounted. It is an error when kubelet changes it meanwhile:
// another notice comes then.
func (k *Keeper) take() (config, error) {
	from := k.Config
	if target, err := os.Readlink(filepath.Join(from, published)); err == nil {
		from = filepath.Join(from, target)
	}
	dir, err := os.MkdirTemp(k.State, "v-")
	if err != nil {
		return config{}, fmt.Errorf("make a folder for the configuration: %w", err)
	}
	c := config{dir: dir}
	err = c.fill(from)
	if err == nil {
		err = k.Program.adapt(c.dir)
	}
	if err != nil {
		c.remove()
		return config{}, fmt.Errorf("copy the configuration: %w", err)
	}
	return c, nil
}

func (c *config) fill(from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name()[0] == '.' {
			continue
		}
		info, err := os.Stat(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() || info.Size() > maxConfig {
			return fmt.Errorf("%s: %w", e.Name(), fs.ErrInvalid)
		}
		text, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		if e.Name() == FileRevision {
			c.revision = string(text)
		}
		if err := os.WriteFile(filepath.Join(c.dir, e.Name()), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// without empties the customer's own part and tells whether there was one.
func (c *config) without(custom string) bool {
	path := filepath.Join(c.dir, custom)
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0 && os.Truncate(path, 0) == nil
}

// remove deletes the copy. What stays after an error is found at the next start.
func (c *config) remove() { _ = os.RemoveAll(c.dir) }

// last returns the configuration that was in use when the container ended.
func (k *Keeper) last() (config, bool) {
	dir, err := filepath.EvalSymlinks(filepath.Join(k.State, current))
	if err != nil {
		return config{}, false
	}
	text, err := os.ReadFile(filepath.Join(dir, FileRevision))
	return config{dir: dir, revision: string(text)}, err == nil
}

// point makes c the current configuration, in one step.
func (k *Keeper) point(c config) error {
	next := filepath.Join(k.State, "next")
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("switch the configuration: %w", err)
	}
	if err := os.Symlink(filepath.Base(c.dir), next); err != nil {
		return fmt.Errorf("switch the configuration: %w", err)
	}
	if err := os.Rename(next, filepath.Join(k.State, current)); err != nil {
		return fmt.Errorf("switch the configuration: %w", err)
	}
	return nil
}

// sweep removes every copy but those in use.
func (k *Keeper) sweep(keep ...config) {
	copies, err := filepath.Glob(filepath.Join(k.State, "v-*"))
	if err != nil {
		return
	}
	for _, dir := range copies {
		used := false
		for _, c := range keep {
			used = used || c.dir == dir
		}
		if !used {
			_ = os.RemoveAll(dir) // only takes up space until the next time
		}
	}
}
