package wordpress

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// dropInMark stands near the top of our drop-in: a file without it is the
// customer's own and stays.
var dropInMark = []byte("Plugin Name: Kubepanel Object Cache")

// dropIn installs, renews or removes the object cache.
func (f Files) dropIn(root *os.Root) error {
	have, err := readSmall(root, dropInName)
	if errors.Is(err, errNotSmall) {
		err = nil // and without the mark: nothing that we made
	}
	absent := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !absent:
		return fmt.Errorf("look at the object cache: %w", err)
	case !absent && !bytes.Contains(have, dropInMark):
		if f.ObjectCache {
			f.Log.Warn("another plugin's object cache stays", "file", dropInName)
		}
		return nil
	case !f.ObjectCache && absent:
		return nil
	case !f.ObjectCache:
		if err := root.Remove(dropInName); err != nil {
			return fmt.Errorf("remove the object cache: %w", err)
		}
		return nil
	}
	want, err := os.ReadFile(f.DropIn)
	if err != nil {
		return fmt.Errorf("read the object cache: %w", err)
	}
	if bytes.Equal(have, want) {
		return nil
	}
	if err := writeWhole(root, dropInName, string(want), 0o644); err != nil {
		return fmt.Errorf("write the object cache: %w", err)
	}
	return nil
}
